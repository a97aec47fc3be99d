/**
 * Bundles `modelfactory/client` into one file for browsers: `npx tsx scripts/client.ts [OUT]`, and says how large it is. A package
 * of Node's in it is an error. Run by a test, so that the client stays what it is.
 */

import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The bundle's text. @throws when it needs anything that a browser does not have. */
export async function bundleClient(outside: string | undefined): Promise<string> {
  const needed: string[] = []
  const output = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    build: {
      lib: { entry: fileURLToPath(new URL('../src/apps/client/client.ts', import.meta.url)), formats: ['es'], fileName: 'client' },
      write: outside !== undefined,
      ...(outside === undefined ? {} : { outDir: outside }),
      emptyOutDir: false,
      copyPublicDir: false,
      minify: 'esbuild',
      target: 'es2022',
    },
    plugins: [
      {
        name: 'only-browsers',
        enforce: 'pre',
        resolveId(id, importer) {
          if (importer !== undefined && !id.startsWith('.')) needed.push(id)
          return null
        },
      },
    ],
  })
  if (needed.length > 0) throw new Error(`The client imports ${[...new Set(needed)].join(', ')}, and should need nothing.`)
  const [first] = (Array.isArray(output) ? output : [output]) as { output: { code?: string }[] }[]
  return first?.output[0]?.code ?? ''
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const code = await bundleClient(process.argv[2] ?? 'dist')
  console.log(`modelfactory/client: ${code.length} bytes, ${gzipSync(code).length} gzipped`)
}
