/**
 * Bits that change on the disk: whatever byte of whatever file it is, the mount refuses with a sentence and the command
 * to run, or works; what it serves is what was written, or an I/O error, never anything else.
 */
import { cpSync, openSync, closeSync, readSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { EXIT } from '../../src/cli/exit-codes.js'
import type { ProgramResult } from '../helpers/program.js'
import { testingUser } from '../helpers/user.js'
import { Vault } from '../helpers/vault.js'

const REFUSALS = new Set<number | undefined>([EXIT.DAMAGE, EXIT.WRONG_PASSPHRASE, EXIT.UNSUPPORTED_FORMAT])
const FLIPS = Number(process.env['ATEFS_DAMAGE_FLIPS'] ?? 12)

/** A small generator, seeded: a failing place is found again. */
function makeRandom(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

function flip(file: string, position: number, bit: number): void {
  const fd = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, position)
  byte.writeUInt8(byte.readUInt8(0) ^ (1 << bit))
  writeSync(fd, byte, 0, 1, position)
  closeSync(fd)
}

function filesOf(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return files.filter((path) => statSync(path).size > 0).sort()
}

/** Every file that can be read must be what it was; only I/O errors are excused. Prints how many could not be read. */
const readEverything = `
  bad=0
  for i in $(seq 60); do
    if sum=$(sha256sum < d/f$i 2> $ERROR); then [ "$sum" = "$(sed -n "$i p" "$SUMS")" ] || { echo "d/f$i is wrong"; exit 9; }
    else grep -q 'Input/output error' $ERROR || { cat $ERROR; exit 9; }; bad=$((bad + 1)); fi
  done
  echo $bad`

t.test('flipped bits are refused, or give I/O errors, and never other data', { timeout: 600_000 }, async (t) => {
  const vault = Vault.create(t, testingUser)
  const sums = join(vault.base, 'tmp', 'sums')
  await vault.mount()
  await vault.shell(
    `mkdir d; for i in $(seq 60); do seq $i $((i * i * 9)) > d/f$i; [ $((i % 9)) != 0 ] || sync d/f$i; done`,
  )
  await vault.shell(`for i in $(seq 60); do sha256sum < d/f$i; done > ${sums}`)
  await vault.unmount()
  const kept = join(vault.base, 'kept')
  cpSync(vault.chain, kept, { recursive: true })

  const random = makeRandom(7)
  const readAll = (): Promise<ProgramResult> =>
    vault.attempt('/bin/sh', ['-uc', readEverything], {
      environment: { SUMS: sums, ERROR: join(vault.base, 'tmp', 'error') },
    })
  const seen = { refused: 0, served: 0, partly: 0 }
  for (let i = 0; i < FLIPS; i++) {
    rmSync(vault.chain, { recursive: true })
    cpSync(kept, vault.chain, { recursive: true })
    const files = filesOf(vault.chain)
    const file = files[i % files.length] ?? ''
    const position = random(statSync(file).size)
    flip(file, position, random(8))
    const where = `${file.slice(vault.chain.length + 1)} at ${position}`
    // Every other time without the index, so that the whole log is read.
    if (i % 2 === 1) rmSync(join(vault.chain, 'index'), { recursive: true, force: true })

    let result = await vault.tryMount()
    if (result.code !== 0) {
      seen.refused++
      t.ok(REFUSALS.has(result.code), `${where}: ${String(result.code)}`)
      t.match(result.stdout.toString(), /"message"/, where)
      if (result.code === EXIT.DAMAGE && where.includes('.seg')) t.match(result.stdout.toString(), /atefs fsck/)
      result = await vault.tryMount('--allow-damage')
      if (result.code !== 0) continue
    }
    const read = await readAll()
    t.equal(read.code, 0, `${where}: ${read.stdout.toString().slice(0, 200)}`)
    if (read.stdout.toString().trim() === '0') seen.served++
    else seen.partly++
    await vault.unmount()
  }
  t.comment(`${FLIPS} flips: ${JSON.stringify(seen)}`)
  t.ok(seen.refused > 0)
})
