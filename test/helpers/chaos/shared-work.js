/**
 * What one machine does on its mount of a chain that others change as well, until a byte comes on standard input. Arguments: the
 * mount, its number, a seed, and `sync` when an fsync here means that the server has it. Prints what was acknowledged, a line each.
 */
import * as fs from 'node:fs'

const [root = '', machine = '0', seed = '1', mode = ''] = process.argv.slice(2)
const PROMISED = mode === 'sync'
let state = Number(seed) * 1000 + Number(machine)

/** @param {number} below */
function random(below) {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const name = () => `n${random(5)}`
const path = () => [root, 'tree', ...Array.from({ length: 1 + random(3) }, name)].join('/')

/** What others have done, what cannot be, and what a mount says that has lost its server or its daemon. */
const STALE = -116
const EXPECTED = new Set(
  'EEXIST ENOENT ENOTDIR EISDIR ENOTEMPTY EINVAL ELOOP EPERM EROFS EIO ETIMEDOUT ENOTCONN ECONNABORTED ENODATA EBUSY'.split(
    ' ',
  ),
)

/** @param {() => void} step */
function attempt(step) {
  try {
    step()
    return true
  } catch (error) {
    const { code = '', errno } = /** @type {NodeJS.ErrnoException} */ (error)
    if (!EXPECTED.has(code) && errno !== STALE) throw error
    return false
  }
}

/** @param {string} file @param {string} flags @param {string} text */
function writeSynced(file, flags, text) {
  const fd = fs.openSync(file, flags)
  try {
    fs.writeSync(fd, text)
    fs.fsyncSync(fd)
  } finally {
    attempt(() => fs.closeSync(fd))
  }
}

let made = 0
function promiseFile() {
  const file = `f${machine}-${made++}`
  if (attempt(() => writeSynced(`${root}/kept/${file}`, 'wx', `${file}\n`)) && PROMISED) console.log(`file ${file}`)
}

let lines = 0
function promiseLine() {
  const line = `l${machine}-${lines++}`
  if (
    attempt(() => writeSynced(`${root}/lines`, fs.constants.O_WRONLY | fs.constants.O_APPEND, `${line}\n`)) &&
    PROMISED
  )
    console.log(`line ${line}`)
}

let claims = 0
/** Of all machines at most one makes it. */
function claim() {
  const file = `c${claims++ % 400}`
  if (attempt(() => writeSynced(`${root}/claims/${file}`, 'wx', machine)) && PROMISED) console.log(`claim ${file}`)
}

const steps = [
  () => fs.mkdirSync(path()),
  () => fs.mkdirSync(path()),
  () => fs.appendFileSync(path(), `line ${machine}\n`),
  () => fs.writeFileSync(path(), 'x'.repeat(random(9000))),
  () => fs.renameSync(path(), path()),
  () => fs.renameSync(path(), path()),
  () => fs.renameSync(path(), path()),
  () => fs.linkSync(path(), path()),
  () => fs.unlinkSync(path()),
  () => fs.rmdirSync(path()),
  () => fs.symlinkSync('target', path()),
  () => fs.truncateSync(path(), random(20000)),
  () => fs.chmodSync(path(), 0o600 + random(0o77)),
  () => fs.utimesSync(path(), random(1e9), random(1e9)),
  () => fs.readFileSync(path()),
  () => fs.readdirSync(path()),
  () => fs.statSync(path()),
]

let isOver = false
process.stdin.on('data', () => (isOver = true)).on('end', () => (isOver = true))

async function work() {
  while (!isOver) {
    const which = random(steps.length + 4)
    if (which === steps.length) promiseFile()
    else if (which === steps.length + 1) promiseLine()
    else if (which === steps.length + 2) claim()
    else attempt(steps[which] ?? (() => fs.statfsSync(root)))
    // What is said on standard input is heard, and a dead mount is not asked a million times.
    await new Promise((resolve) => setTimeout(resolve, random(4)))
  }
}

await work()
process.stdin.destroy()
console.log('over')
