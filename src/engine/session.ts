/**
 * Session: runs a graph with onnxruntime on the CPU, into outputs allocated once. Knows nothing of what is computed.
 */
import type { InferenceSession, Tensor as Value } from 'onnxruntime-node'
import { type Graph, size, type Tensor } from './graph.ts'
import { writeModel } from './onnx.ts'

export interface Session {
  /**
   * Runs the graph on values by input name; every input the outputs need must be there. The arrays returned, by output in
   * the order given at opening, are the same at every run and are overwritten by the next, unless `into` names others.
   */
  run(values: Readonly<Record<string, Float32Array | BigInt64Array>>, into?: readonly Float32Array[]): Promise<readonly Float32Array[]>
  close(): Promise<void>
}

/**
 * Compiles what computes `outputs` for a number of threads. Tensors in `given` are fed like inputs instead of computed.
 * Without `arena` memory is taken and given back value by value: slower, and never more than is in use. onnxruntime is loaded
 * when this is first called.
 */
export async function openSession(
  graph: Graph,
  outputs: readonly Tensor[],
  options: { threads: number; profile?: string; given?: readonly Tensor[]; arena?: boolean | undefined },
): Promise<Session> {
  const runtime = await import('onnxruntime-node')
  const settings: InferenceSession.SessionOptions = {
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // The arena grows by doubling: fast for small values, half of it unused for large ones.
    enableCpuMemArena: options.arena ?? true,
    // A pattern is one block for all of a run's values, taken at the second run beside all that the first has taken: half as much again, and no faster.
    enableMemPattern: false,
    // A pass runs several sessions in turn; threads of the last that go on spinning would take the cores from the next.
    extra: { session: { force_spinning_stop: '1' } },
    ...(options.profile ? { enableProfiling: true, profileFilePrefix: options.profile } : {}),
  }
  const session = await runtime.InferenceSession.create(writeModel(graph, outputs, options.given), settings)
  const wanted = new Set(session.inputNames)
  const inputs = [...graph.inputs, ...(options.given ?? [])].filter(({ name }) => wanted.has(name))
  const bind = (arrays: readonly Float32Array[]) =>
    Object.fromEntries(outputs.map(({ name, shape }, index) => [name, new runtime.Tensor('float32', arrays[index]!, shape as number[])]))
  let own: { arrays: readonly Float32Array[]; fetches: Record<string, Value> } | undefined
  return {
    async run(values, into) {
      const feeds: Record<string, Value> = {}
      for (const { name, type, shape } of inputs) {
        const data = values[name]
        if (data?.length !== size(shape)) throw new RangeError(`Input ${name} needs ${size(shape)} values and got ${data?.length ?? 'none'}.`)
        feeds[name] = new runtime.Tensor(type, data as never, shape as number[])
      }
      if (into) await session.run(feeds, bind(into))
      else {
        if (!own) {
          const arrays = outputs.map(({ shape }) => new Float32Array(size(shape)))
          own = { arrays, fetches: bind(arrays) }
        }
        await session.run(feeds, own.fetches)
      }
      return into ?? own!.arrays
    },
    close: () => session.release(),
  }
}
