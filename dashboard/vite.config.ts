import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** What the api process serves under `/dashboard/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/dashboard/',
  plugins: [react()],
  build: {
    target: 'es2023',
    // The page's policy forbids inline scripts and styles, and `data:` is for pictures only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    emptyOutDir: true,
  },
  server: {
    port: 8101,
    // `npx vite dashboard` beside a running `npm start`.
    proxy: { '^/(?!dashboard/)': 'http://127.0.0.1:8000' },
  },
})
