import { createClient } from 'millrace/client'
import { buildApp } from './app.ts'

// TASKS=examples/fastify-app/tasks.ts npm start, and then: node examples/fastify-app/main.ts

const app = buildApp(createClient({ url: process.env.MILLRACE_URL ?? 'http://127.0.0.1:8000' }))
console.log(`curl -X POST ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}/reports/2026-11`)
