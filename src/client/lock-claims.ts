/** Who has locks here, by the names of files and owners: as far as is known, as may be, and those who had them and do not know. */
interface Claim {
  /** It was told to have a lock on the file. */
  isHeld: boolean
  /** Nobody knows: the answer did not come. */
  isOpen: boolean
  /** Requests that are not answered. */
  asking: number
}

export class LockClaims {
  readonly #files = new Map<string, Map<string, Claim>>()
  readonly #lost = new Map<string, Set<string>>()

  get isAnyHeld(): boolean {
    return this.#files.size > 0
  }

  isHeld(file: string): boolean {
    for (const { isHeld } of this.#files.get(file)?.values() ?? []) if (isHeld) return true
    return false
  }

  isHeldBy(file: string, owner: string): boolean {
    return this.#files.get(file)?.get(owner)?.isHeld === true
  }

  isLost(file: string): boolean {
    return this.#lost.has(file)
  }

  isUsed(file: string): boolean {
    return this.#files.has(file) || this.#lost.has(file)
  }

  heldFiles(): string[] {
    return [...this.#files.keys()].filter((file) => this.isHeld(file))
  }

  /** A lock is asked for. To be called with what came of it: undefined when that is not known. */
  asked(file: string, owner: string): (isGranted: boolean | undefined) => void {
    const owners = this.#files.get(file) ?? new Map<string, Claim>()
    const claim = owners.get(owner) ?? { isHeld: false, isOpen: false, asking: 0 }
    this.#files.set(file, owners)
    owners.set(owner, claim)
    claim.asking++
    return (isGranted) => {
      claim.asking--
      claim.isHeld ||= isGranted === true
      claim.isOpen ||= isGranted === undefined
      if (!hasSomething(claim) && claim.asking === 0 && owners.get(owner) === claim) this.#forget(file, owner)
    }
  }

  /** True when the server is to be told. `isAll`: the owner has nothing on the file any more. */
  letGo(file: string, owner: string, isAll: boolean): boolean {
    const lost = this.#lost.get(file)
    if (lost?.has(owner) === true) {
      if (isAll) lost.delete(owner)
      if (lost.size === 0) this.#lost.delete(file)
      return false
    }
    const claim = this.#files.get(file)?.get(owner)
    if (claim === undefined || !hasSomething(claim)) return false
    if (isAll && claim.asking === 0) this.#forget(file, owner)
    else if (isAll) claim.isHeld = claim.isOpen = false
    return true
  }

  /** Nobody has any more what he has. Gives the names of the files. */
  lose(): string[] {
    const files = this.heldFiles()
    for (const [file, owners] of [...this.#files]) {
      const lost = this.#lost.get(file) ?? new Set<string>()
      for (const [owner, claim] of [...owners]) {
        if (claim.isHeld) lost.add(owner)
        claim.isHeld = claim.isOpen = false
        if (claim.asking === 0) this.#forget(file, owner)
      }
      if (lost.size > 0) this.#lost.set(file, lost)
    }
    return files
  }

  #forget(file: string, owner: string): void {
    const owners = this.#files.get(file)
    owners?.delete(owner)
    if (owners?.size === 0) this.#files.delete(file)
  }
}

function hasSomething({ isHeld, isOpen }: Claim): boolean {
  return isHeld || isOpen
}
