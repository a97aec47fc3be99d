/**
 * What programs may ask of this server, as an OpenAPI 3.1 document made from the very schemas the routes check with.
 * Knows nothing of what the routes do.
 */
import { Hono } from 'hono'
import { z } from 'zod'
import { BountyPost, EntryPost } from '../../core/bounty.ts'
import { AuditionPost, BuilderPost, ReplyPost, ReportPost, ReviewPost, SearchQuery, WantedPost } from '../../core/market.ts'
import { SharesPut } from '../../core/shares.ts'
import { PickPost } from './audition.ts'
import { WebhookPost } from './webhook.ts'

type Operation = { summary: string; parameters?: object[]; requestBody?: object; responses: Record<string, object> }

const schemaOf = (schema: z.ZodType) =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { properties?: Record<string, object>; required?: string[] }
const json = (description: string) => ({ description, content: { 'application/json': { schema: { type: 'object' } } } })
const problem = {
  description: 'A refusal: one sentence of what is wrong, and what to do.',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          error: {
            type: 'object',
            properties: { message: { type: 'string' }, code: { type: 'string' }, hint: { type: 'string' } },
            required: ['message', 'code'],
          },
        },
      },
    },
  },
}
const inPath = (name: string, description: string) => ({ name, in: 'path', required: true, description, schema: { type: 'string' } })
const body = (schema: z.ZodType) => ({ required: true, content: { 'application/json': { schema: schemaOf(schema) } } })
const operation = (summary: string, told: string, more: Partial<Operation> = {}): Operation => ({
  summary,
  ...more,
  responses: { 200: json(told), '4XX': problem },
})
const modelId = inPath('id', 'The model’s id on chain, or its name at this gateway.')
const modelName = inPath('name', 'The model’s name at this gateway.')
const auditionId = inPath('id', 'The audition’s id.')

export function openapi(version: string): object {
  const query = schemaOf(SearchQuery)
  const parameters = Object.entries(query.properties ?? {}).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
  return {
    openapi: '3.1.0',
    info: {
      title: 'ModelFactory gateway',
      version,
      description:
        'Specialised models, found by need and ranked by measured quality. A paid question answers 402 with an x402 offer first; whoever pays, pays the builder directly and whole.',
    },
    paths: {
      '/v1/models': { get: operation('Models that answer here, as OpenAI lists them', 'The list.') },
      '/v1/chat/completions': {
        post: operation('Ask a model; OpenAI’s chat completions, paid by x402', 'The answer.', {
          requestBody: { required: true, content: { 'application/json': { schema: { type: 'object', required: ['model', 'messages'] } } } },
        }),
      },
      '/api/market/search': { get: operation('Find models by need, in any language', 'Hits, facets, and the cursor of the next page.', { parameters }) },
      '/api/market/listings/{id}': {
        get: operation('All that is known of one listing', 'Exam, prices, versions, attempts, usage, reviews.', { parameters: [modelId] }),
      },
      '/api/market/listings/{id}/reviews': {
        post: operation('Review a model with the wallet that paid for one of its answers', 'The review.', {
          parameters: [modelId],
          requestBody: body(ReviewPost),
        }),
      },
      '/api/market/reviews/{id}/reply': {
        post: operation('The owner’s answer to a review', 'The review with its reply.', {
          parameters: [inPath('id', 'The review’s id.')],
          requestBody: body(ReplyPost),
        }),
      },
      '/api/market/builders/{address}': {
        get: operation('What a builder says of themselves, unchecked, and their models for sale', 'The builder.', {
          parameters: [inPath('address', 'The builder’s wallet.')],
        }),
      },
      '/api/market/builder': {
        get: operation('What you say of yourself as a builder, and your models for sale', 'The builder.'),
        put: operation('Say who you are as a builder (signed in, or on the machine itself)', 'What is shown.', { requestBody: body(BuilderPost) }),
      },
      '/api/market/listings/{id}/report': { post: operation('Report abuse', 'That it was taken.', { parameters: [modelId], requestBody: body(ReportPost) }) },
      '/api/market/auditions': {
        post: operation('Begin a blind audition: models answer your cases unnamed, and you pay one of them (signed in)', 'Answers by letter.', {
          requestBody: body(AuditionPost),
        }),
      },
      '/api/market/auditions/{id}/pick': {
        post: operation('Choose one; who is who is told', 'The audition, with names.', { parameters: [auditionId], requestBody: body(PickPost) }),
      },
      '/api/market/auditions/{id}/settle': {
        post: operation('Look for your payments of the chosen answers on the chain', 'The audition, which counts now.', { parameters: [auditionId] }),
      },
      '/api/uploads': { post: operation('Announce a file of so many bytes', 'Its id, to send pieces to by PUT /api/uploads/{id}?offset=0.') },
      '/api/market/demand': { get: operation('What people look for and hardly find', 'Needs, most searched first.') },
      '/api/market/wanted': {
        get: operation('Needs that people posted', 'The newest hundred.', {
          parameters: [{ name: 'tag', in: 'query', required: false, schema: { type: 'string' } }],
        }),
        post: operation('Post a need with example cases', 'The need with its id.', { requestBody: body(WantedPost) }),
      },
      '/api/market/wanted/{id}/bounty': {
        post: operation('Offer money for a need, to whichever model first passes sealed cases (owner)', 'The bounty, without its cases.', {
          parameters: [inPath('id', 'The need.')],
          requestBody: body(BountyPost),
        }),
      },
      '/api/market/bounties': { get: operation('Money that is or was offered for needs', 'Bounties, newest first, as the chain has them.') },
      '/api/market/bounties/{id}': {
        get: operation('One bounty', 'Its sum, deadline, entries with their scores, and who won.', { parameters: [inPath('id', 'The bounty.')] }),
      },
      '/api/market/bounties/{id}/entries': {
        post: operation('Enter a published model and have it examined; the first that passes is paid (owner)', 'The bounty as it stands then.', {
          parameters: [inPath('id', 'The bounty.')],
          requestBody: body(EntryPost),
        }),
      },
      '/api/market/bounties/{id}/withdraw': {
        post: operation('Take the money back after the deadline; with models entered, the cases become public (owner)', 'The bounty as it stands then.', {
          parameters: [inPath('id', 'The bounty.')],
        }),
      },
      '/api/market/recompute': { get: operation('Read the chain anew and compare (owner)', 'Whether every figure follows from it.') },
      '/api/webhook': {
        get: operation('Where payments are told, and whether they are taken (owner)', 'The address, how many were told and wait, what is wrong.'),
        put: operation('Tell an address of every payment from now on, signed by the gateway (owner)', 'As above.', { requestBody: body(WebhookPost) }),
        delete: operation('Tell nobody (owner)', 'As above.'),
      },
      '/api/webhook/test': { post: operation('Send a message of the type "test" (owner)', 'The status it was answered with.') },
      '/api/shares/{name}': {
        get: operation('Whom a model pays (owner)', 'The payout, its holders, and what waits to be sent on.', { parameters: [modelName] }),
        put: operation('Divide what a model earns from now on among several people, for ever and without a middleman (owner)', 'As above.', {
          parameters: [modelName],
          requestBody: body(SharesPut),
        }),
      },
      '/api/shares/{name}/cited': {
        get: operation(
          'What the model’s answers cite in its sealed exam, file by file, and the shares that follow (owner)',
          'Files with their quotes and givers, and holders.',
          {
            parameters: [modelName, { name: 'own', in: 'query', required: false, schema: { type: 'number', minimum: 0, exclusiveMaximum: 100, default: 0 } }],
          },
        ),
      },
      '/api/shares/{name}/send': {
        post: operation('Send what has gathered on to the holders (owner; on chain anyone may)', 'What was sent, of each payout.', { parameters: [modelName] }),
      },
      '/api/gaps': { get: operation('Questions without an answer, of callers who sent "store": true (owner)', 'By model and topic, the most asked first.') },
      '/api/gaps/{name}': { delete: operation('Forget those of one model (owner)', 'What is left.', { parameters: [modelName] }) },
      '/api/benchmark': { get: operation('The published benchmark', 'Every task and arm with its interval.') },
      '/api/receipts': { get: operation('Receipts of paid queries', 'The newest.') },
    },
  }
}

export function openapiRoutes(version: string): Hono {
  const document = openapi(version)
  return new Hono().get('/openapi.json', (context) => context.json(document))
}
