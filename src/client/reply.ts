import { MillraceError } from './errors.ts'
import type { Reply } from './http.ts'

/** What a successful answer says. The shape is the server's promise; that it is JSON at all is checked. */
export function parseReply<Body>({ status, text }: Reply): Body {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MillraceError(
      'no-millrace',
      'the server answered with something else than JSON: is it a Millrace?',
      {
        status,
        cause,
      },
    )
  }
}
