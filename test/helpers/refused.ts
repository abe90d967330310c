import type { Test } from 'tap'
import type { ProgramResult } from './program.js'
import type { Vault } from './vault.js'

/** What a mount that fails must be: its exit code, a sentence that says why, nothing mounted, no stack trace. */
export function refused(t: Test, vault: Vault, result: ProgramResult, code: number, sentence: RegExp): void {
  const { error } = JSON.parse(result.stdout.toString() || '{}') as { error?: { message?: string; hint?: string } }
  const said = `${error?.message ?? ''} ${error?.hint ?? ''} ${result.stderr}`
  t.equal(result.code, code, said)
  t.match(said, sentence)
  t.notMatch(said, /\n +at /, 'no stack trace')
  t.notOk(vault.isMounted())
}
