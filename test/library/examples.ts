/** Every example runs and prints what it says. They run the built package, as `npm run example NAME` does. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { filesBelow, projectRoot } from '../helpers/source-files.js'

const OUTPUTS: Readonly<Record<string, readonly string[]>> = {
  'hello-world': ['Hello world!'],
  bank: [
    'Error: Ann has not got 1000.00 EUR.',
    'Ann: 65.00 EUR',
    'Bob: 135.00 EUR',
    'together: 200.00 EUR after 15 transfers',
  ],
  bus: [
    'Eve sees Ann: It rains. (stored)',
    'Tom sees Ann: It rains. (stored)',
    'Eve sees Ann: It rains no more. (changed)',
    'Tom sees Ann: It rains no more. (changed)',
    'Eve sees a message go',
    'Tom sees a message go',
    'Eve leaves',
    'Tom leaves',
  ],
  cache: ['Oslo: snow', 'Oslo, later: undefined', 'Rome, later: sun', 'expired: 1'],
  coin: [
    ...Array.from({ length: 3 }, () => 'the mint pays Ann: done'),
    'Ann pays Bob: done',
    'Ann pays Bob with another: done',
    'and Eve with the same: NOT_AUTHORIZED',
    'and once more, later: NOT_AUTHORIZED',
    'Eve pays herself with Ann’s: NOT_AUTHORIZED',
    'the mint takes it back: NOT_AUTHORIZED',
    'coin of Ann, then Bob: verified',
    'coin of Ann, then Bob: verified',
    'coin of Ann: verified',
    'with a forged transfer: transfer 1 is not its owner’s',
    'with an old signature: transfer 1 is not its owner’s',
  ],
  queue: ['packing a book', 'packing a lamp', 'packing a chair', 'packing a lamp', 'parcels: a book, a chair, a lamp'],
  'remote-bus': ['the first sees: It rains. (stored)', 'the first sees: It rains no more. (changed)'],
  'remote-queue': ['20 parcels with 20 books'],
  'remote-service': ['42', 'SERVICE_FAILED: That is no question.', 'Goodbye.'],
  'server-client': ['the second reads: hello', 'the first reads: hello, hello yourself'],
  service: ['pong: hi', 'SERVICE_FAILED: There is nothing to echo.'],
  vault: [
    'two secrets stored',
    'example.org: hunter2',
    'with another passphrase: WRONG_PASSPHRASE',
    'the password can be read from the files: no',
  ],
}

const names = filesBelow('examples', '.ts').flatMap(({ path }) => /^examples\/([^/]+)\.ts$/.exec(path)?.[1] ?? [])

interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

const CHEAP_PASSPHRASES = `--import=${join(projectRoot, 'test/helpers/cheap-passphrases.js')}`

/** `npm run example ...`, without npm. */
function example(stateDirectory: string, ...words: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(projectRoot, 'scripts/example.js'), ...words], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: CHEAP_PASSPHRASES, XDG_STATE_HOME: stateDirectory },
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

t.test('each example prints what it promises', (t) => {
  const state = t.testdir()
  t.strictSame(names, Object.keys(OUTPUTS).sort(), 'all are known here')
  for (const [name, lines] of Object.entries(OUTPUTS))
    t.strictSame(example(state, name), { status: 0, stdout: `${lines.join('\n')}\n`, stderr: '' }, name)
  t.end()
})

t.test('without a name they are listed, with what each is about', (t) => {
  const { status, stdout } = example(t.testdir())
  t.equal(status, 0)
  for (const name of names) t.match(stdout, new RegExp(`^  ${name} +[A-Z].{20,}$`, 'm'))
  t.end()
})

t.test('a name that there is not is refused, with those there are', (t) => {
  const { status, stderr } = example(t.testdir(), 'coins')
  t.equal(status, 1)
  for (const name of names) t.match(stderr, `  ${name}`)
  t.end()
})
