/** Several mounts of one chain of a server, changed at random at the same time: in the end all see one tree, which is whole. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { startAtedb } from '../helpers/atedb-server.js'
import { checkCopy } from '../helpers/check-copy.js'
import { cliWorld, shell } from '../helpers/cli.js'

const SEED = Number(process.env['ATEFS_FUZZ_SEED'] ?? 1)
const IS_LONG = process.env['ATEFS_TEST_LONG'] !== undefined
const CLIENTS = IS_LONG ? 5 : 2
const STEPS = Number(process.env['ATEFS_FUZZ_RUNS'] ?? (IS_LONG ? 2000 : 100))

/** Runs in a process of its own, on one mount: arguments are the mount, a seed and the number of steps. */
const CHANGES = `
const fs = require('node:fs'), [root, seed, steps] = process.argv.slice(1)
let state = Number(seed)
const random = (below) => { state = (Math.imul(state, 1103515245) + 12345) >>> 0; return Math.floor((state / 2 ** 32) * below) }
const name = () => 'n' + random(5)
const path = () => [root, ...Array.from({ length: 1 + random(3) }, name)].join('/')
const steppers = [
  () => fs.mkdirSync(path()), () => fs.mkdirSync(path()),
  () => fs.appendFileSync(path(), 'line ' + seed + '\\n'), () => fs.writeFileSync(path(), 'x'.repeat(random(9000))),
  () => fs.renameSync(path(), path()), () => fs.renameSync(path(), path()), () => fs.linkSync(path(), path()),
  () => fs.unlinkSync(path()), () => fs.rmdirSync(path()), () => fs.symlinkSync('target', path()),
  () => fs.truncateSync(path(), random(20000)), () => fs.readFileSync(path()), () => fs.readdirSync(path()),
]
// EEXIST, ENOENT, ENOTDIR, EISDIR, ENOTEMPTY, EINVAL, ELOOP, EPERM, ESTALE: what others have done, or what cannot be.
const expected = [-17, -2, -20, -21, -39, -22, -40, -1, -116]
for (let i = 0; i < Number(steps); i++) {
  try { steppers[random(steppers.length)]() }
  catch (error) { if (!expected.includes(error.errno)) { console.error(i, error); process.exit(1) } }
}
`

await t.test(`${CLIENTS} machines, ${STEPS} steps each, seed ${SEED}`, { timeout: 0 }, async (t) => {
  const world = cliWorld(t)
  const { port } = await startAtedb(t, world, ['-l', '127.0.0.1', '--no-auth'], world.path('served'))
  writeFileSync(world.path('passfile'), 'secret')
  const mounts = Array.from({ length: CLIENTS }, (_, i) => world.path(`m${i}`))
  for (const [i, mount] of mounts.entries()) {
    const place = ['--log-path', world.path(`logs${i}`), '--passfile', world.path('passfile')]
    const mounted = await world.run(['mount', mount, 'team', '-r', `ws://127.0.0.1:${port}/db`, ...place])
    t.equal(mounted.code, 0, mounted.stderr)
  }
  const ends = mounts.map(async (mount, i) => {
    const args = ['-e', CHANGES, mount, String(SEED * 1000 + i), String(STEPS)]
    const worker = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    const codes = (await once(worker, 'exit')) as unknown[]
    t.equal(codes[0], 0, `machine ${i}`)
  })
  await Promise.all(ends)
  // Each brings what it has, and has seen the last of the others.
  for (const [i, mount] of mounts.entries()) await shell(`echo ${i} > ${mount}/last${i}`)
  const all = mounts.map((_, i) => `[ -e last${i} ]`).join(' && ')
  for (const mount of mounts)
    await shell(`cd ${mount}; for i in $(seq 200); do ${all} && exit 0; sleep 0.05; done; exit 1`)
  const tree = `find . -printf '%P %y %i %n %s %m %T@ %l\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum`
  const trees = (): Promise<string[]> => Promise.all(mounts.map((mount) => shell(`cd ${mount}; ${tree}`)))
  // What made the last names came with them, and the kernel is told of one after the other.
  let [first = '', ...others] = await trees()
  for (let i = 0; i < 20 && others.some((other) => other !== first); i++) [first = '', ...others] = await trees()
  t.ok(first.split('\n').length > CLIENTS * 2)
  for (const other of others) t.equal(other, first, 'one tree')
  for (const [i, mount] of mounts.entries()) {
    t.equal((await world.run(['umount', mount])).code, 0)
    const checked = await checkCopy(world, world.path(`logs${i}`))
    t.equal(checked.code, 0, `machine ${i}: ${checked.stdout}${checked.stderr}`)
  }
})
