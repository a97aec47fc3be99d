/**
 * The machine as builds see it: cores, free memory, and the rate of its matrix products, measured once when first asked.
 * Knows nothing of builds.
 */
import { openGguf } from '../engine/gguf.ts'
import { measureRate, readMachine } from '../engine/machine.ts'
import type { MachineView } from '../steps/plan.ts'

export function machineView(threads: number): MachineView & { cores: number } {
  let rate: Promise<number> | undefined
  return {
    cores: readMachine().cores,
    availableBytes: () => readMachine().availableBytes,
    rate: () => (rate ??= measureRate({ threads })),
  }
}

/** The tensor type most of a model file's values have. */
export function quantisationOf(path: string): string {
  const values = new Map<string, number>()
  for (const { type, shape } of openGguf(path).tensors.values())
    values.set(type, (values.get(type) ?? 0) + shape.reduce((product, length) => product * length, 1))
  return [...values].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'unknown'
}
