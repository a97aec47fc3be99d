/**
 * Checks the house's one structural rule: imports only point down, and sibling floors are blind to each other.
 * Also refuses import cycles, third-party packages on pure floors, and files over their line budget.
 * Run by `npm run check`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** What a floor may import: floors below it, and which packages (`node:` built-ins count as packages). */
const floors: Record<string, { sees: string[]; packages: 'any' | string[] }> = {
  core: { sees: [], packages: ['zod', '@noble/hashes'] },
  engine: { sees: [], packages: ['onnxruntime-node', 'node:fs', 'node:fs/promises', 'node:os', 'node:path'] },
  ports: { sees: ['core'], packages: [] },
  steps: { sees: ['core', 'ports'], packages: [] },
  drivers: { sees: ['core', 'ports', 'engine'], packages: 'any' },
  factory: { sees: ['core', 'engine', 'ports', 'steps', 'drivers'], packages: 'any' },
  apps: { sees: ['core', 'factory'], packages: 'any' },
}
const budget = { file: 400, kernel: 900 }

const root = process.argv[2] ?? 'src'
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx?$/.test(path) && !/\.(test|test-d|suite|generated)\./.test(path))
const graph = new Map<string, string[]>()
const faults: string[] = []
let total = 0

for (const file of files) {
  const text = readFileSync(join(root, file), 'utf8')
  const floor = file.split('/')[0]!
  const lines = text.split('\n').length
  total += lines
  const limit = floor === 'engine' ? budget.kernel : budget.file
  if (lines > limit) faults.push(`${file}: ${lines} lines, budget ${limit}`)
  if (!text.startsWith('/**') && !text.startsWith('#!')) faults.push(`${file}: does not open by saying what it is`)
  if (!floors[floor]) faults.push(`${file}: ${floor} is not a floor`)
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const edges: string[] = []
  for (const [, source] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)) {
    if (source!.startsWith('.')) {
      const target = normalize(join(dirname(file), source!))
      const up = target.split('/')[0]!
      edges.push(target)
      if (up !== floor && !floors[floor]?.sees.includes(up)) faults.push(`${file}: ${floor} may not import ${up} (${source})`)
    } else {
      const allowed = floors[floor]?.packages ?? []
      if (allowed !== 'any' && !allowed.some((name) => source === name || source!.startsWith(`${name}/`)))
        faults.push(`${file}: ${floor} may not import package ${source}`)
    }
  }
  graph.set(file, edges)
}

const state = new Map<string, 'open' | 'done'>()
function visit(file: string, trail: string[]): void {
  if (state.get(file) === 'done' || !graph.has(file)) return
  if (state.get(file) === 'open') {
    faults.push(`cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' -> ')}`)
    return
  }
  state.set(file, 'open')
  for (const next of graph.get(file)!) visit(next, [...trail, file])
  state.set(file, 'done')
}
for (const file of graph.keys()) visit(file, [])

for (const fault of faults) console.error(fault)
console.log(`floors: ${files.length} files, ${total} lines, ${faults.length} faults`)
process.exit(faults.length ? 1 : 0)
