import type { SwaggerOptions } from '@fastify/swagger'

/** What the OpenAPI document says beside the routes. */
export function openApiInfo(version: string): SwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Millrace',
        version,
        summary: 'Durable tasks on PostgreSQL',
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description:
              'One of API_KEYS, where the server has any, or a key that was made here. A route names the scope that it takes.',
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: 'millrace_session',
            description: 'What `POST /session` answers a browser with.',
          },
        },
      },
      security: [{}, { apiKey: [] }, { session: [] }],
      tags: [
        { name: 'Submitting', description: 'Handing over work.' },
        { name: 'Tasks', description: 'Looking at tasks, canceling and retrying them.' },
        { name: 'Keys', description: 'Who may do what, and signing in.' },
        { name: 'System', description: 'How things stand.' },
      ],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, i) =>
        typeof json.$id === 'string' ? json.$id : `schema-${i}`,
    },
  }
}

const description = `
JSON in and out, in UTF-8. Instants are RFC 3339 in UTC with milliseconds, ids are UUIDv7.

A task's \`payload\` and \`result\` come back exactly as they were sent: key order, number text and all. They may be
nested up to 100 levels deep (deeper: 422). A submission in which a field occurs twice is refused (422); inside a
payload anything that is JSON goes. A body that is not JSON is a 400.

Every answer of 4xx and 5xx is an \`application/problem+json\` (RFC 9457) with a stable \`code\`. Its \`type\` is
\`urn:millrace:problem:\` and the code: a name, not an address. A 503 says with \`Retry-After\` when to ask again.
`.trim()
