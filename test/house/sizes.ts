/** Files that can be read at a sitting. An exception is one line here with its reason. */
import t from 'tap'
import ts from 'typescript'
import { filesBelow } from '../helpers/source-files.js'

const MAX_SOURCE_LINES = 400
const MAX_TEST_LINES = 500
const MAX_MEDIAN_LINES = 100
/** Soft: longer functions are listed, not refused, until they are twice as long. */
const MAX_FUNCTION_LINES = 50

const EXCEPTIONS: Record<string, string> = {}

const lineCount = (text: string): number => text.split('\n').length - 1

/** The functions of a file that are longer than a screen. */
function longFunctions(path: string, text: string): { name: string; lines: number }[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const long: { name: string; lines: number }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const start = file.getLineAndCharacterOfPosition(node.getStart(file)).line
      const lines = file.getLineAndCharacterOfPosition(node.end).line - start + 1
      if (lines > MAX_FUNCTION_LINES) long.push({ name: `${path}:${start + 1}`, lines })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return long
}

t.test('no file is too long', (t) => {
  const tests = filesBelow('test', '.ts').map((file) => ({ ...file, limit: MAX_TEST_LINES }))
  const sources = filesBelow('src', '.ts').map((file) => ({ ...file, limit: MAX_SOURCE_LINES }))
  for (const { path, text, limit } of [...sources, ...tests]) {
    if (path in EXCEPTIONS) continue
    const lines = lineCount(text)
    t.ok(lines <= limit, `${path} has ${lines} lines; ${limit} are the limit: split it by what its parts do`)
  }
  t.end()
})

t.test('most files are short', (t) => {
  const counts = filesBelow('src', '.ts')
    .map(({ text }) => lineCount(text))
    .sort((a, b) => a - b)
  const median = counts[Math.floor(counts.length / 2)] ?? 0
  t.ok(median <= MAX_MEDIAN_LINES, `the median of the source files is ${median} lines`)
  t.end()
})

t.test('functions fit a screen', (t) => {
  const long = filesBelow('src', '.ts').flatMap(({ path, text }) => longFunctions(path, text))
  for (const { name, lines } of long) {
    t.comment(`${name}: a function of ${lines} lines`)
    t.ok(lines <= 2 * MAX_FUNCTION_LINES, `${name} is a function of ${lines} lines; it does several things`)
  }
  t.end()
})
