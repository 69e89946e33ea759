import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './ui/tokens.css'
import './ui/base.css'
import { queryClient } from './api/query-client.ts'
import { findOutWho } from './api/who.ts'
import { startLive } from './live/live.ts'
import { router } from './router.tsx'

// The page is on its way while it is found out whether somebody has to sign in before it is shown.
void router.load()
if (await findOutWho()) startLive()
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
