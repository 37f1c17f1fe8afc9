/** The shared memory of an engine: a growing WebAssembly memory with an allocator. */

import { PolicyError } from "../../env/errors.ts";

const WASM_PAGE = 65536;
/** The maximum size of the shared memory for which the kernels are built, in WebAssembly pages: 4 GiB. */
const MAX_PAGES = 65536;
/** The minimum growth in WebAssembly pages: 16 MiB, so that the memory seldom has to grow. */
const GROWTH_PAGES = 256;

interface Span {
  at: number;
  bytes: number;
}

/** A first-fit allocator over one shared WebAssembly memory. It is not thread-safe: only the host allocates. */
export class SharedHeap {
  /** The memory that workers and kernels import. */
  readonly memory: WebAssembly.Memory;
  readonly #taken = new Map<number, number>();
  /** Free spans, sorted by address; neighbors are merged. */
  #free: Span[] = [];
  /** The end of the allocated memory. Address 0 stays unused, so that it can mean "none". */
  #end = WASM_PAGE;
  #bytes: Uint8Array = new Uint8Array();
  #ints: Int32Array = new Int32Array();
  #floats: Float32Array = new Float32Array();
  #doubles: Float64Array = new Float64Array();

  constructor() {
    this.memory = new WebAssembly.Memory({
      initial: 1,
      maximum: MAX_PAGES,
      shared: true,
    });
    this.#view();
  }

  /** A view of the whole memory. Get a new view after `allocate`, which may grow the memory. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }
  /** A view of the memory indexed by `address / 4`. */
  get ints(): Int32Array {
    return this.#ints;
  }
  /** A view of the memory indexed by `address / 4`. */
  get floats(): Float32Array {
    return this.#floats;
  }
  /** A view of the memory indexed by `address / 8`. */
  get doubles(): Float64Array {
    return this.#doubles;
  }

  /** The current size of the memory in bytes. */
  get size(): number {
    return this.#bytes.length;
  }

  /**
   * Allocates `bytes` zeroed bytes, aligned to a cache line, and returns their address. May grow the memory.
   * @throws {PolicyError} If the memory cannot grow far enough.
   */
  allocate(bytes: number): number {
    const need = Math.max(64, Math.ceil(bytes / 64) * 64);
    const at = this.#fit(need) ?? this.#extend(need);
    this.#taken.set(at, need);
    this.#bytes.fill(0, at, at + need);
    return at;
  }

  /**
   * Frees an allocation.
   * @throws {RangeError} If `at` was not allocated.
   */
  free(at: number): void {
    const bytes = this.#taken.get(at);
    if (bytes === undefined) {
      throw new RangeError(
        `Cannot free address ${at}: nothing is allocated there`,
      );
    }
    this.#taken.delete(at);
    const next = this.#free.findIndex((span) => span.at > at);
    this.#free.splice(next < 0 ? this.#free.length : next, 0, { at, bytes });
    this.#merge();
  }

  #fit(need: number): number | undefined {
    const span = this.#free.find((s) => s.bytes >= need);
    if (!span) return undefined;
    const at = span.at;
    span.at += need;
    span.bytes -= need;
    if (span.bytes === 0) this.#free.splice(this.#free.indexOf(span), 1);
    return at;
  }

  #extend(need: number): number {
    const last = this.#free.at(-1);
    const at = last && last.at + last.bytes === this.#end ? last.at : this.#end;
    const pages = Math.ceil((at + need - this.size) / WASM_PAGE);
    if (pages > 0) this.#grow(pages, need);
    if (at !== this.#end) this.#free.pop();
    this.#end = at + need;
    return at;
  }

  #grow(pages: number, need: number): void {
    const left = MAX_PAGES - this.size / WASM_PAGE;
    try {
      if (pages > left) throw new RangeError("past 4 GiB");
      this.memory.grow(Math.min(left, Math.max(pages, GROWTH_PAGES)));
    } catch (cause) {
      throw new PolicyError(
        `Cannot allocate ${mib(need)} in addition to the ${
          mib(this.size)
        } in use`,
        {
          cause,
          hint:
            "lower rollout.cacheTokens (maxCacheTokens of the policy), or use a smaller model or shorter sequences",
        },
      );
    }
    this.#view();
  }

  #merge(): void {
    const merged: Span[] = [];
    for (const span of this.#free) {
      const last = merged.at(-1);
      if (last && last.at + last.bytes === span.at) last.bytes += span.bytes;
      else merged.push(span);
    }
    this.#free = merged;
  }

  #view(): void {
    const buffer = this.memory.buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#ints = new Int32Array(buffer);
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
