/**
 * A mounted chain of a server is compacted, when the server says: the server and every machine give the space of deleted files back.
 */
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { startAtedb } from '../helpers/atedb-server.js'
import { cliWorld, shell } from '../helpers/cli.js'

/** What a deleted file had. */
const MEBIBYTES = 12

await t.test(
  'what is deleted goes from the logs of the server and of all machines, and what is kept stays',
  async (t) => {
    const world = cliWorld(t)
    const often = ['--compact-mode', 'size', '--compact-threshold-size', '1048576']
    const server = await startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth', ...often], world.path('served'))
    writeFileSync(world.path('passfile'), 'secret')
    const url = `ws://127.0.0.1:${server.port}/db`
    const mount = async (machine: string, ...flags: string[]): Promise<void> => {
      const place = ['--log-path', world.path(`logs-${machine}`), '--passfile', world.path('passfile')]
      const { code, stderr } = await world.run(['mount', world.path(machine), 'team', '-r', url, ...place, ...flags])
      t.equal(code, 0, stderr)
    }
    const [a, b] = [world.path('a'), world.path('b')]
    /** What the first segment of each log takes on the disk. */
    const diskKib = async (): Promise<number[]> => {
      const found = await shell(
        `find ${world.path('.')} -name 0000000001.seg -print0 | sort -z | xargs -0 du -k | cut -f1`,
      )
      return found.trim().split('\n').map(Number)
    }
    await mount('a')
    await shell(`head -c ${MEBIBYTES}M /dev/urandom > ${a}/large; seq 100000 > ${a}/kept; sync ${a}/kept`)
    t.equal((await world.run(['umount', a])).code, 0)
    // Its user says otherwise.
    await mount('b', '--compact-mode', 'never')
    const before = await diskKib()
    t.equal(before.length, 3, 'of the server and of two machines')
    for (const kib of before) t.ok(kib > MEBIBYTES * 1024, `${kib} KiB`)
    // What the first session wrote is closed now: a compaction looks at nothing else.
    await mount('a')
    await shell(`rm ${a}/large; head -c 2M /dev/urandom > ${a}/more; sync ${a}/more; rm ${a}/more; sync ${a}/kept`)
    const isGone = async (): Promise<boolean> => (await diskKib()).every((kib) => kib < 0.4 * MEBIBYTES * 1024)
    for (let i = 0; i < 120 && !(await isGone()); i++) await new Promise((resolve) => setTimeout(resolve, 250))
    const after = await diskKib()
    t.ok(await isGone(), `${before.join(' ')} KiB before, ${after.join(' ')} now`)
    await shell(`seq 100000 | cmp - ${b}/kept && echo more >> ${b}/kept`)
    for (const machine of [a, b]) {
      const { code, stderr } = await world.run(['umount', machine])
      t.equal(code, 0, stderr)
    }
    const late = world.path('c')
    await mount('c')
    await shell(`[ "$(tail -1 ${late}/kept)" = more ] && [ "$(ls ${late})" = kept ]`)
    t.equal((await world.run(['umount', late])).code, 0)
    for (const [machine, log] of [
      ['a', 'logs-a'],
      ['c', 'logs-c'],
    ] as const) {
      const place = ['--log-path', world.path(`${log}/127.0.0.1:${server.port}`), '--passfile', world.path('passfile')]
      const checked = await world.run(['fsck', 'db%2Fteam', ...place])
      t.equal(checked.code, 0, `${machine}: ${checked.stdout}${checked.stderr}`)
    }
  },
)
