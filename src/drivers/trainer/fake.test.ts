import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { trainerSuite } from '../../ports/trainer.suite.ts'
import { createFakeTrainer } from './fake.ts'

trainerSuite('fake', async () => {
  const base = join(mkdtempSync(join(tmpdir(), 'fake-trainer-')), 'base.gguf')
  writeFileSync(base, 'any file will do')
  return { trainer: createFakeTrainer(), base, labelTokens: ['no', 'yes'] }
})
