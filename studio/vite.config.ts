/**
 * How the studio is built: static files with hashed names, all from its own address, so that it works under a content
 * security policy of `default-src 'self'`. Knows nothing of the server but where the development proxy finds it.
 */
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv } from 'vite'

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, '.', 'MODELFACTORY_').MODELFACTORY_URL ?? 'http://127.0.0.1:4020'
  // The server takes requests from its own page only, so the proxy speaks in its name.
  const proxied = { target: server, changeOrigin: true, headers: { origin: server } }
  return {
    plugins: [react(), tailwindcss()],
    // Inlined assets would be `data:` addresses, which the policy refuses.
    build: { outDir: 'dist', assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2022' },
    server: { host: '127.0.0.1', proxy: { '/api': proxied, '/v1': proxied } },
  }
})
