/** Mounts in the modes that end in `sync`: every open and lookup sees what was done before it anywhere, with both drivers. */
import t from 'tap'
import { shell } from '../helpers/cli.js'
import { Locker, servedMounts } from '../helpers/served-mounts.js'

const ROUNDS = 15

await t.test('what one machine has answered the other sees at once, and the other way round', async (t) => {
  const machines = await servedMounts(t, ['a', 'b'])
  const a = await machines.mount('a', '--recovery-mode', 'sync')
  const b = await machines.mount('b', '--recovery-mode', 'sync')
  const steps = [
    (here: string, there: string, i: number) =>
      `echo ${i} > ${here}/f${i}; [ "$(cat ${there}/f${i})" = ${i} ]; ls ${there} | grep -qx f${i}`,
    (here: string, there: string, i: number) =>
      `mv ${here}/f${i} ${here}/g${i}; [ ! -e ${there}/f${i} ]; [ "$(cat ${there}/g${i})" = ${i} ]`,
    (here: string, there: string, i: number) =>
      `ln ${here}/g${i} ${here}/h${i}; [ $(stat -c %h ${there}/g${i}) = 2 ]; chmod 640 ${there}/h${i}; [ $(stat -c %a ${here}/g${i}) = 640 ]`,
    (here: string, there: string, i: number) =>
      `echo more >> ${there}/h${i}; [ $(wc -l < ${here}/g${i}) = 2 ]; rm ${here}/g${i}; [ $(stat -c %h ${there}/h${i}) = 1 ]`,
    (here: string, there: string, i: number) =>
      `set -C; true > ${here}/once${i}; if true > ${there}/once${i}; then exit 1; fi 2>/dev/null; mkdir ${there}/d${i}; rmdir ${here}/d${i}; [ ! -e ${there}/d${i} ]`,
  ]
  for (const [i, step] of steps.entries()) {
    const lines = Array.from({ length: ROUNDS }, (_, round) => (round % 2 === 0 ? [a, b] : [b, a])).map(
      ([here = a, there = b], round) => `(${step(here, there, round)})`,
    )
    await t.resolves(shell(lines.join('; ')), `step ${i}`)
  }
})

await t.test('fuse-native: opens and lookups see the same', async (t) => {
  const machines = await servedMounts(t, ['a', 'b'])
  const a = await machines.mount('a', '--recovery-mode', 'sync', '--driver', 'fuse-native')
  const b = await machines.mount('b', '--recovery-mode', 'sync')
  await shell(`for i in $(seq 8); do
    echo $i > ${b}/f; [ "$(cat ${a}/f)" = $i ]
    echo $i$i > ${a}/g; [ "$(cat ${b}/g)" = $i$i ]
    mkdir ${b}/d; touch ${b}/d/x; [ -e ${a}/d/x ]; mv ${b}/d ${b}/e; [ ! -e ${a}/d ]; mkdir ${b}/d; [ ! -e ${a}/d/x ]; [ -e ${a}/e/x ]
    rm -r ${a}/e ${a}/d; [ ! -e ${b}/e ]
  done`)
  const locker = await Locker.open(t, `${a}/f`)
  t.equal(await locker.ask('lock flock 0 0'), 'ok')
  t.equal(await (await Locker.open(t, `${a}/f`)).ask('lock flock 0 0'), 'EAGAIN')
  t.equal(await (await Locker.open(t, `${b}/f`)).ask('lock flock 0 0'), 'ok', 'as docs/conformance.md says')
})
