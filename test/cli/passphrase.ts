import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { MAX_PASSPHRASE_BYTES, readPassphrase, type PassphraseSources } from '../../src/cli/passphrase.js'
import { BUILT, runProgram, type CliResult } from '../helpers/cli.js'

const directory = mkdtempSync(join(tmpdir(), 'atefs-passphrase-'))
process.once('exit', () => rmSync(directory, { recursive: true }))
const question = { prompt: 'Passphrase', isNew: false }

async function read(sources: PassphraseSources): Promise<string> {
  return Buffer.from(await readPassphrase(sources, question)).toString('latin1')
}

function file(content: string | Buffer): string {
  const path = join(directory, 'passfile')
  writeFileSync(path, content)
  return path
}

t.test('one newline at the end is not part of it, everything else is', async (t) => {
  t.equal(await read({ passfile: file('secret\n') }), 'secret')
  t.equal(await read({ passfile: file('secret\r\n') }), 'secret')
  t.equal(await read({ passfile: file('secret') }), 'secret')
  t.equal(await read({ passfile: file(' two\nlines \n\n') }), ' two\nlines \n')
  t.equal(await read({ passfile: file(Buffer.from([0xff, 0x00, 0x0a])) }), '\xff\0')
})

t.test('an empty one is refused, whatever it comes from', async (t) => {
  await t.rejects(read({ passfile: file('') }), { code: 'EMPTY_PASSPHRASE' })
  await t.rejects(read({ passfile: file('\n') }), { code: 'EMPTY_PASSPHRASE' })
  await t.rejects(read({ passfile: file('\r\n') }), { code: 'EMPTY_PASSPHRASE' })
  await t.rejects(read({ passcommand: 'true' }), { code: 'EMPTY_PASSPHRASE' })
  process.env['ATEFS_PASSWORD'] = ''
  await t.rejects(read({}), { code: 'EMPTY_PASSPHRASE' })
})

t.test('a file that is not there, or no passphrase, is refused', async (t) => {
  await t.rejects(read({ passfile: join(directory, 'none') }), { code: 'NO_PASSPHRASE' })
  await t.rejects(read({ passfile: directory }), { code: 'NO_PASSPHRASE' })
  await t.rejects(read({ passfile: file(Buffer.alloc(MAX_PASSPHRASE_BYTES + 3)) }), { code: 'BAD_ARGUMENT' })
  await t.rejects(read({ passfile: '/dev/zero' }), { code: 'BAD_ARGUMENT' })
})

t.test('a command gives it on its standard output', async (t) => {
  t.equal(await read({ passcommand: 'echo "a b"' }), 'a b')
  await t.rejects(read({ passcommand: 'echo secret; exit 3' }), { code: 'NO_PASSPHRASE', message: /exit code 3/ })
  await t.rejects(read({ passcommand: 'kill -9 $$' }), { code: 'NO_PASSPHRASE', message: /SIGKILL/ })
  await t.rejects(read({ passcommand: 'cat /dev/zero' }), { code: 'BAD_ARGUMENT' })
})

t.test('the sources have an order, and the variable does not survive', async (t) => {
  const passfile = file('from file')
  process.env['ATEFS_PASSWORD'] = 'from variable'
  t.equal(await read({ passfile, passcommand: 'echo from command' }), 'from file')
  process.env['ATEFS_PASSWORD'] = 'from variable'
  t.equal(await read({ passcommand: 'echo from command "$ATEFS_PASSWORD"' }), 'from command ')
  process.env['ATEFS_PASSWORD'] = 'from variable'
  t.equal(await read({}), 'from variable')
  t.equal(process.env['ATEFS_PASSWORD'], undefined)
})

/** Asks in a process of its own, whose standard input is ours to choose, and prints what it got in hexadecimal. */
const ASK = `
  import { readPassphrase } from '${BUILT}/cli/passphrase.js'
  const question = { prompt: 'Passphrase', isNew: process.argv[1] === 'new' }
  try { console.log('<' + Buffer.from(await readPassphrase({}, question)).toString('hex') + '>') }
  catch (error) { console.log('<' + error.code + '>') }`

function ask(how: string, input: string): Promise<CliResult> {
  return runProgram(
    process.execPath,
    ['--input-type=module', '-e', ASK, how],
    { PATH: process.env['PATH'] ?? '' },
    input,
  )
}

/** The same on a terminal of its own, that of script(1). Each answer is typed when its question is there. */
async function askOnTerminal(how: string, ...answers: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', ASK, NODE: process.execPath }
  const terminal = spawn('script', ['-qec', `"$NODE" --input-type=module -e "$ASK" ${how}`, '/dev/null'], { env })
  let shown = ''
  let questions = 0
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    for (; questions < shown.split(': ').length - 1; questions++) terminal.stdin.write(answers.shift() ?? '')
  })
  await once(terminal, 'close')
  return shown
}

function hex(text: string): string {
  return `<${Buffer.from(text).toString('hex')}>`
}

t.test('standard input is read when it is not a terminal', async (t) => {
  t.match((await ask('known', 'secret\n')).stdout, hex('secret'))
  t.match((await ask('new', 'secret')).stdout, hex('secret'))
  t.match((await ask('known', '')).stdout, '<EMPTY_PASSPHRASE>')
})

t.test('a terminal is asked, and shows nothing of what is typed', async (t) => {
  const shown = await askOnTerminal('known', 'sécret!\x7fx\r')
  t.match(shown, 'Passphrase: ')
  t.match(shown, hex('sécretx'))
  t.notMatch(shown, 'cret')
})

t.test('backspace takes a whole character, Ctrl-U the line', async (t) => {
  t.match(await askOnTerminal('known', 'oops\x15aé\x7fb\r'), hex('ab'))
  t.match(await askOnTerminal('known', '\x7f\x7fa\r'), hex('a'))
})

t.test('a new passphrase is asked for twice', async (t) => {
  t.match(await askOnTerminal('new', 'secret\r', 'secret\r'), hex('secret'))
  t.match(await askOnTerminal('new', 'secret\r', 'secret2\r'), '<BAD_ARGUMENT>')
  t.match(await askOnTerminal('new', 'secret\rsecret\r'), hex('secret'), 'typed ahead')
})

t.test('the end of input and an empty line are no passphrase', async (t) => {
  t.match(await askOnTerminal('known', '\x04'), '<NO_PASSPHRASE>')
  t.match(await askOnTerminal('known', '\r'), '<EMPTY_PASSPHRASE>')
})
