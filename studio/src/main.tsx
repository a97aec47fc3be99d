/**
 * The studio's first line: mounts the pages in the language and colours somebody chose. Knows nothing of what is on them.
 */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { applyLanguage } from './language.ts'
import { Guard } from './parts/guard.tsx'
import { Studio } from './shell/router.tsx'
import { applyTheme } from './shell/theme.ts'
import './tokens.css'

applyLanguage()
applyTheme()
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Guard>
      <Studio />
    </Guard>
  </StrictMode>,
)
