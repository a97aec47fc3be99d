/**
 * What every Exporter must do. Knows nothing of formats; the maker gives a model with its base, its adapter, and a base that
 * is not the model's own.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { EXPORT_KINDS, type Exportable } from '../core/export.ts'
import type { Exporter } from './exporter.ts'

type Made = { exporter: Exporter; model: Exportable; base: string; adapter: string; otherBase: string }

export function exporterSuite(name: string, make: (folder: string) => Promise<Made>): void {
  describe(`exporter: ${name}`, () => {
    const root = mkdtempSync(join(tmpdir(), 'exporter-'))
    let made: Made
    beforeAll(async () => {
      made = await make(root)
    })
    afterAll(() => rmSync(root, { recursive: true, force: true }))

    it.each(EXPORT_KINDS)('%s: says what it wrote, replaces what was there, and writes the same the second time', async (kind) => {
      const { exporter, model, base, adapter } = made
      const folder = join(root, kind)
      const write = async () => {
        const files = await exporter.write({ kind, model, base, adapter, folder })
        if (isRefusal(files)) throw new Error(files.message)
        return files
      }
      const first = await write()
      expect(first.length).toBeGreaterThan(0)
      expect(readdirSync(folder).sort()).toEqual(first.map((file) => file.name))
      for (const file of first) {
        const bytes = readFileSync(join(folder, file.name))
        expect([file.bytes, file.sha256]).toEqual([bytes.length, `0x${createHash('sha256').update(bytes).digest('hex')}`])
      }
      writeFileSync(join(folder, 'left-over'), 'of an earlier export')
      expect(await write()).toEqual(first)
      expect(readdirSync(folder)).not.toContain('left-over')
    })

    it.each(EXPORT_KINDS)('%s: refuses an adapter for another base, stops when told to, and leaves nothing', async (kind) => {
      const { exporter, model, base, adapter, otherBase } = made
      const folder = join(root, `${kind}-refused`)
      expect(await exporter.write({ kind, model, base: otherBase, adapter, folder })).toMatchObject({ refused: true, code: 'adapter_for_another_base' })
      const job = { kind, model, base, adapter, folder, signal: AbortSignal.abort(new Error('enough')) }
      await expect(exporter.write(job)).rejects.toThrow('enough')
      expect(existsSync(folder)).toBe(false)
      expect(readdirSync(root).filter((entry) => entry.endsWith('.part'))).toEqual([])
    })
  })
}
