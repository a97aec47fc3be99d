/**
 * Uploads over HTTP: announce a file, send its pieces, ask how much is there. Knows nothing of what a file is for.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { isRefusal, refuse } from '../../core/errors.ts'
import { PIECE_BYTES, type Uploads } from '../../factory/uploads.ts'
import { readJson } from './chat.ts'
import { limit } from './guard.ts'
import { refusal, wrongField } from './replies.ts'

const Announced = z.object({ bytes: z.number().int().positive() })
const Offset = z.coerce.number().int().nonnegative()

/** Below `/api/uploads`. */
export function uploadRoutes(uploads: Uploads): Hono {
  const routes = new Hono()
  const answer = (context: Context, value: object) => (isRefusal(value) ? refusal(context, value) : context.json(value))

  routes.post('/', limit(1), async (context) => {
    const announced = Announced.safeParse(readJson(await context.req.text()), { reportInput: true })
    if (announced.success) return answer(context, await uploads.begin(announced.data.bytes))
    const wrong = wrongField(announced.error.issues[0], 'The body is not a JSON object.')
    return refusal(context, refuse('invalid_request', wrong, 'Send {"bytes": the size of the file}.'), 400)
  })
  routes.get('/:id', async (context) => answer(context, await uploads.view(context.req.param('id'))))
  routes.put('/:id', limit(PIECE_BYTES >> 20), async (context) => {
    const offset = Offset.safeParse(context.req.query('offset'))
    if (!offset.success) {
      const sentence = `The offset "${context.req.query('offset') ?? ''}" is not a number of bytes.`
      return refusal(context, refuse('offset_invalid', sentence, 'Send PUT /api/uploads/ID?offset=0 with the first bytes as the body.'), 400)
    }
    return answer(context, await uploads.append(context.req.param('id'), offset.data, new Uint8Array(await context.req.arrayBuffer())))
  })
  return routes
}
