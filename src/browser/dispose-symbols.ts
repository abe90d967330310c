/** Browsers that do not know `using` have no symbols for it: what is disposed of is called by them. Loaded before all else. */
for (const name of ['dispose', 'asyncDispose'] as const)
  if (!Object.hasOwn(Symbol, name)) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) })
