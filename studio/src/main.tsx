/**
 * The studio's first line: mounts the page. Knows nothing of what is on it.
 */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { Guard } from './parts/guard.tsx'
import './tokens.css'

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Guard>
      <App />
    </Guard>
  </StrictMode>,
)
