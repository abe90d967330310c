// node dist-bench/profile.js FILE...: the functions that took most of each CPU profile (`npm run bench -- --profile DIR`),
// by their own time; and what they called as a share of the whole.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

interface Profile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const TOP = 45

function label({ callFrame }: ProfileNode): string {
  const place =
    callFrame.url === '' ? '' : ` ${callFrame.url.split('/').slice(-2).join('/')}:${callFrame.lineNumber + 1}`
  return `${callFrame.functionName || '(anonymous)'}${place}`
}

function summarize(profile: Profile): string {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const own = new Map<number, number>()
  profile.samples.forEach((id, i) => own.set(id, (own.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0)))
  const self = new Map<string, number>()
  const total = new Map<string, number>()
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = label(node)
    const inside = new Set(above).add(name)
    let sum = own.get(node.id) ?? 0
    self.set(name, (self.get(name) ?? 0) + sum)
    for (const child of node.children ?? []) {
      const next = nodes.get(child)
      if (next !== undefined) sum += visit(next, inside)
    }
    if (!above.has(name)) total.set(name, (total.get(name) ?? 0) + sum)
    return sum
  }
  const root = profile.nodes[0]
  if (root !== undefined) visit(root, new Set())
  const busyUs = [...self].reduce((sum, [name, us]) => (name.startsWith('(idle)') ? sum : sum + us), 0)
  const share = (us: number): string => `${((us / busyUs) * 100).toFixed(1).padStart(5)} %`
  const list = (times: Map<string, number>): string =>
    [...times]
      .filter(([name]) => !/^\((idle|root)\)/.test(name))
      .sort((a, b) => b[1] - a[1])
      .slice(0, TOP)
      .map(([name, us]) => `${share(us)}  ${name}`)
      .join('\n')
  return `busy ${(busyUs / 1000).toFixed(0)} ms\nown time\n${list(self)}\nwith what they call\n${list(total)}`
}

for (const file of process.argv.slice(2)) {
  const profile = JSON.parse(await readFile(file, 'utf8')) as Profile
  process.stdout.write(`== ${basename(file)}: ${summarize(profile)}\n\n`)
}
