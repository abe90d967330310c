import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  isAlive,
  listMounts,
  registerMount,
  TEMPORARY_PREFIX,
  unregisterMount,
} from '../../../src/fs/daemon/registry.js'

function runtime(t: Test): string {
  const made = mkdtempSync(join(tmpdir(), 'atefs-registry-'))
  t.teardown(() => rmSync(made, { recursive: true }))
  return made
}

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync('true').pid
}

function writeRecord(directory: string, pid: number, fields: object = {}): void {
  const record = { pid, processStart: '1', mountpoint: '/m', directory: '/d', ...fields }
  writeFileSync(join(directory, `${pid}.json`), JSON.stringify(record))
  writeFileSync(join(directory, `${pid}.sock`), '')
}

t.test('what a process registers can be listed until it unregisters', async (t) => {
  const directory = runtime(t)
  registerMount(directory, { mountpoint: '/m', directory: '/d/c', temporaryDirectory: '/t' })
  const [mount, ...others] = listMounts(directory)
  t.match(mount, { pid: process.pid, mountpoint: '/m', directory: '/d/c', temporaryDirectory: '/t' })
  t.same(others, [])
  t.ok(mount !== undefined && isAlive(mount))
  unregisterMount(directory)
  t.same(listMounts(directory), [])
  t.same(listMounts(join(directory, 'none')), [])
})

t.test('what a dead process left is removed', async (t) => {
  const directory = runtime(t)
  writeRecord(directory, deadPid())
  t.same(listMounts(directory), [])
  t.same(readdirSync(directory), [])
})

t.test('a pid that was given to another process is a dead one', async (t) => {
  const directory = runtime(t)
  writeRecord(directory, process.pid, { processStart: '1' })
  t.same(listMounts(directory), [])
})

t.test('a temporary directory goes with its dead daemon, and only one that is named so', async (t) => {
  const directory = runtime(t)
  const temporary = join(directory, `${TEMPORARY_PREFIX}x`)
  const precious = join(directory, 'precious')
  for (const path of [temporary, precious]) mkdirSync(path)
  writeRecord(directory, deadPid(), { temporaryDirectory: temporary })
  writeRecord(directory, deadPid(), { temporaryDirectory: precious })
  listMounts(directory)
  t.notOk(existsSync(temporary))
  t.ok(existsSync(precious))
})

t.test('files that are no records are left alone', async (t) => {
  const directory = runtime(t)
  for (const [name, text] of [
    ['1.json', '{'],
    ['2.json', 'null'],
    ['3.json', '{"pid":"x"}'],
    ['4.json', ' '.repeat(100_000)],
    ['readme', ''],
  ] as const) {
    writeFileSync(join(directory, name), text)
  }
  mkdirSync(join(directory, '5.json'))
  t.same(listMounts(directory), [])
  t.equal(readdirSync(directory).length, 6)
})
