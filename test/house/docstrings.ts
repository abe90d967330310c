/** Whoever meets the library in his editor is told what each thing is: every export and every public member has a docstring. */
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { projectRoot } from '../helpers/source-files.js'

const ENTRIES = ['src/index.ts', 'src/browser.ts', 'src/crypto.ts']

/** Members that are what their name says, in every class and everywhere. */
const KNOWN = new Set([
  '__@dispose',
  '__@asyncDispose',
  '__@asyncIterator',
  '__constructor',
  'prototype',
  'toJSON',
  'kind',
  'target',
])

function programOf(paths: readonly string[]): ts.Program {
  const options = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, strict: true, types: ['node'] }
  return ts.createProgram([...paths], { ...options, lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'] })
}

/** The names of what an entry exports without saying what it is. */
function undocumented(program: ts.Program, path: string): string[] {
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(path)
  const module = file === undefined ? undefined : checker.getSymbolAtLocation(file)
  if (module === undefined) return [path]
  const isSilent = (symbol: ts.Symbol): boolean => symbol.getDocumentationComment(checker).length === 0
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const own = isSilent(symbol) ? [symbol.name] : []
    return [
      ...own,
      ...membersOf(symbol)
        .filter(isSilent)
        .map((member) => `${symbol.name}.${member.name}`),
    ]
  })
}

/** The public members of a class or an interface. */
function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  return [
    ...(symbol.members?.values() ?? []),
    ...(symbol.flags & ts.SymbolFlags.Class ? (symbol.exports?.values() ?? []) : []),
  ]
    .filter(({ name, flags }) => !isKnown(name) && !(flags & ts.SymbolFlags.TypeParameter))
    .filter(({ declarations = [] }) =>
      declarations.every(
        (declaration) =>
          !(ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) &&
          !hasPrivateName(declaration),
      ),
    )
}

/** `#name` is nobody else's. */
function hasPrivateName(declaration: ts.Declaration): boolean {
  const name = ts.getNameOfDeclaration(declaration)
  return name !== undefined && ts.isPrivateIdentifier(name)
}

function isKnown(name: string): boolean {
  return [...KNOWN].some((known) => name === known || name.startsWith(`${known}@`))
}

const program = programOf(ENTRIES.map((path) => join(projectRoot, path)))
for (const entry of ENTRIES)
  t.test(`everything that ${entry} exports has a docstring, and so has every public member`, (t) => {
    t.strictSame(undocumented(program, join(projectRoot, entry)), [])
    t.end()
  })
