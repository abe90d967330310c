/**
 * Restores a backup and ends by SIGKILL before the operation on the file system whose number it is given; without one it tells
 * how many there are: `killed-restore.js CONFIG NAME BACKUP [NUMBER]`.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const CHANGING = ['mkdirSync', 'renameSync', 'rmSync', 'writeSync', 'fsyncSync', 'closeSync', 'ftruncateSync']
const [, , config, name, backup, number] = process.argv
const fatal = number === undefined ? Infinity : Number(number)
let count = 0

function counted(run) {
  return (...given) => {
    count++
    if (count === fatal) process.kill(process.pid, 'SIGKILL')
    return run(...given)
  }
}

for (const operation of CHANGING) fs[operation] = counted(fs[operation])
for (const operation of ['copyFile', 'rename', 'rm', 'link', 'open'])
  fs.promises[operation] = counted(fs.promises[operation])
syncBuiltinESMExports()

const { AteConfig, restoreChain } = await import('../../dist/index.js')
count = 0
await restoreChain(AteConfig.default().with(JSON.parse(config)), name, backup, { force: true, acceptRollback: true })
process.stdout.write(String(count))
