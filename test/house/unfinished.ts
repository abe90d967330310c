/** Nothing is left for later without a word: no reminders in the code, and no test left out without its reason. */
import t from 'tap'
import ts from 'typescript'
import { filesBelow } from '../helpers/source-files.js'

/** Put together here, so that this file does not hold what it refuses. */
const REMINDER = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\\b`)
const OMISSIONS = new Set(['skip', 'todo'])

t.test('no reminder is left in the code', (t) => {
  for (const extension of ['.ts', '.js', '.c']) {
    for (const { path, text } of [...filesBelow('src', extension), ...filesBelow('test', extension)]) {
      const line = text.split('\n').findIndex((each) => REMINDER.test(each))
      t.equal(line, -1, `${path}:${line + 1} holds a reminder: do it, or write an issue`)
    }
  }
  t.end()
})

/** Lines of a test file where a test is left out, and nothing says why. */
function omissionsWithoutReason(path: string, text: string): number[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const constants = new Map<string, ts.Expression>()
  const found: number[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined)
      constants.set(node.name.text, node.initializer)
    const value = omissionIn(node)
    if (value !== undefined && !isReason(value, constants))
      found.push(file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** What stands where a reason belongs, when the node leaves a test out: `{ skip: ... }`, `{ skip }`, "t.skip(...)". */
function omissionIn(node: ts.Node): ts.Node | undefined {
  if (ts.isPropertyAssignment(node) && OMISSIONS.has(node.name.getText())) return node.initializer
  if (ts.isShorthandPropertyAssignment(node) && OMISSIONS.has(node.name.text)) return node.name
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined
  if (!OMISSIONS.has(node.expression.name.text)) return undefined
  // With a function it leaves out a whole test, and its first argument is the name of it.
  return node.arguments.some(ts.isFunctionLike) ? node : (node.arguments[0] ?? node)
}

/** A text, or nothing left out; a name stands for what the file gives it, or is imported. */
function isReason(value: ts.Node, constants: ReadonlyMap<string, ts.Expression>): boolean {
  if (ts.isStringLiteralLike(value)) return value.text.trim() !== ''
  if (ts.isTemplateExpression(value) || value.kind === ts.SyntaxKind.FalseKeyword) return true
  if (ts.isConditionalExpression(value))
    return isReason(value.whenTrue, constants) && isReason(value.whenFalse, constants)
  if (!ts.isIdentifier(value)) return false
  const meaning = constants.get(value.text)
  return meaning === undefined || isReason(meaning, constants)
}

t.test('no test is left out without a reason', (t) => {
  for (const { path, text } of filesBelow('test', '.ts')) {
    const lines = omissionsWithoutReason(path, text)
    t.same(lines, [], `${path} leaves a test out and does not say why: lines ${lines.join()}`)
  }
  t.end()
})

t.test('a test left out without a reason is seen, however it is written', (t) => {
  const refused = [
    "t.test('a', { skip: true }, f)",
    "t.test('a', { skip: !isRoot }, f)",
    "t.test('a', { skip: isRoot ? false : '' }, f)",
    "const skip = true; t.test('a', { skip }, f)",
    "t.skip('a', async (t) => {})",
    't.skip()',
    "t.test('a', { todo: true })",
    "t.todo('a', () => {})",
  ]
  for (const text of refused) t.same(omissionsWithoutReason('x.ts', text), [1], text)
  const accepted = [
    "t.test('a', { skip: 'no disk' }, f)",
    "t.test('a', { skip: isRoot ? false : 'needs root' }, f)",
    "const skip = isRoot ? false : NEEDS_ROOT; t.test('a', { skip }, f)",
    "t.pass('a disk', { skip: 'no loop devices' })",
    'list.map(({ skip }) => skip)',
  ]
  for (const text of accepted) t.same(omissionsWithoutReason('x.ts', text), [], text)
  t.end()
})
