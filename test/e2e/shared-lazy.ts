/** A mount that is gone at unmount has no content of a chain of a server before it is read. */
import { mkdirSync, statfsSync } from 'node:fs'
import t from 'tap'
import { shell } from '../helpers/cli.js'
import { servedMounts, tool } from '../helpers/served-mounts.js'

const MIB = 1024 * 1024

await t.test(
  'what a temporary mount reads comes then; what it has not read is EIO while the server is away',
  async (t) => {
    const mounts = await servedMounts(t, ['a', 'b'])
    const a = await mounts.mount('a')
    await shell(
      `for i in $(seq 8); do head -c ${MIB} /dev/urandom > ${a}/f$i; done; echo small > ${a}/small; sync ${a}/f8 ${a}/small`,
    )
    const way = mounts.way('b')
    mkdirSync(mounts.world.path('logs-b'))
    const b = await mounts.mount('b', '--temp')
    const opened = way.passed.server
    t.ok(opened < MIB / 2, `${opened} bytes to open it`)
    await shell(`cmp ${a}/f3 ${b}/f3`)
    const read = way.passed.server - opened
    t.ok(read >= MIB && read < 2 * MIB, `${read} bytes to read 1 MiB`)
    await shell(
      `echo by b > ${b}/new; sync ${b}/new; rm ${b}/f1; mv ${b}/f2 ${b}/moved; cmp ${b}/moved ${a}/moved || cmp ${b}/moved ${a}/f2`,
    )
    t.ok(statfsSync(b).bsize > 0)
    way.part()
    const began = performance.now()
    t.equal(await tool('cat', `${b}/f5`), 'EIO')
    t.ok(performance.now() - began < 20_000)
    t.equal(await tool('ls', '-l', b), 'ok')
    t.equal(await tool('cmp', `${b}/f3`, `${a}/f3`), 'ok', 'what was read is there')
    way.heal()
  },
)

await t.test(
  'what a temporary mount has changed without the server is merged, beside content it never had',
  async (t) => {
    const mounts = await servedMounts(t, ['a', 'b'])
    const a = await mounts.mount('a')
    await shell(
      `cd ${a}; head -c 200000 /dev/urandom > large; echo before > both; echo x > other; sync large both other`,
    )
    const way = mounts.way('b')
    mkdirSync(mounts.world.path('logs-b'))
    const b = await mounts.mount('b', '--temp', '--recovery-mode', 'async')
    await shell(`cd ${b}; echo first > first; sync first; ls -l`)
    way.part()
    await shell(`cd ${b}; echo offline > both; echo new > made; mv large moved; sync both made`)
    await shell(`cd ${a}; echo online > both; echo added > added; sync both`)
    way.heal()
    const isThere = `[ "$(cat ${a}/made)" = new ] && [ -e ${a}/moved ] && [ "$(cat ${b}/both)" = online ] && cat ${b}/both*conflict*`
    await shell(`for i in $(seq 150); do if ${isThere}; then exit 0; fi; sleep 0.1; done 2>/dev/null; exit 1`)
    await shell(`cmp ${a}/moved ${b}/moved; cat ${b}/added`)
    t.pass('merged')
  },
)
