/** What strict TypeScript says of a program that imports the library. */
import { join } from 'node:path'
import ts from 'typescript'
import { projectRoot } from './source-files.js'

/** The lines of a program that are refused. */
export function refusedLines(program: string): string[] {
  const path = join(projectRoot, 'test/program-of-a-test.ts')
  const read = (name: string): string | undefined => (name === path ? program : ts.sys.readFile(name))
  const exists = (name: string): boolean => name === path || ts.sys.fileExists(name)
  const { options } = ts.getParsedCommandLineOfConfigFile(
    join(projectRoot, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      readDirectory: () => [path],
      onUnRecoverableConfigFileDiagnostic: (): never => {
        throw new Error('tsconfig.json cannot be read')
      },
    },
  ) ?? { options: {} }
  const host = { ...ts.createCompilerHost(options), fileExists: exists, readFile: read }
  host.getSourceFile = (name, target) => {
    const text = read(name)
    return text === undefined ? undefined : ts.createSourceFile(name, text, target)
  }
  const compiled = ts.createProgram([path], options, host)
  const lines = program.split('\n')
  return ts
    .getPreEmitDiagnostics(compiled, compiled.getSourceFile(path))
    .map(({ file, start = 0 }) => lines[file?.getLineAndCharacterOfPosition(start).line ?? -1]?.trim() ?? '')
}
