/**
 * The memory of the key-value cache: a bounded number of pages of 32 positions, allocated from shared memory in slabs.
 * Within a slab, the keys and values of each head are contiguous across pages, so a context with consecutive pages is
 * read sequentially.
 */

import { PAGE } from "./abi.ts";
import { type Engine, pageLayout } from "./engine.ts";

/** The maximum number of pages per slab. */
const SLAB_PAGES = 128;
/**
 * The number of contiguous free pages to look for when a context has no page yet, or when the page after its last one
 * is taken. The context can then grow contiguously.
 */
const PREFERRED_RUN = 16;

interface Slab {
  /** The address of the slab's pages. */
  readonly pages: number;
  /** The address of the slab's first stream. */
  readonly streams: number;
}

/** An allocator of pages, which are identified by number. */
export class PagePool {
  readonly #engine: Engine;
  readonly #maxPages: number;
  readonly #slabPages: number;
  readonly #pageBytes: number;
  readonly #blockBytes: number;
  readonly #slabs: Slab[] = [];
  /** 1 for each free page. */
  #free = new Uint8Array();
  #taken = 0;

  constructor(engine: Engine, maxPages: number) {
    const { config } = engine;
    this.#engine = engine;
    this.#maxPages = maxPages;
    this.#slabPages = Math.min(SLAB_PAGES, maxPages);
    this.#pageBytes = pageLayout(config, false).bytes;
    this.#blockBytes = config.dim / config.heads * PAGE * 4;
  }

  /** The number of bytes from one stream to the next. */
  get streamBytes(): number {
    return this.#slabPages * this.#blockBytes;
  }

  /** The number of pages in use. */
  get taken(): number {
    return this.#taken;
  }

  /** Allocates a page, preferably the page after `after`. Returns `undefined` if no page is free. */
  take(after: number | undefined): number | undefined {
    let page = this.#find(after);
    if (page === undefined && this.#addSlab()) page = this.#find(after);
    if (page === undefined) return undefined;
    this.#free[page] = 0;
    this.#taken++;
    return page;
  }

  /** Frees a page. */
  free(page: number): void {
    this.#free[page] = 1;
    this.#taken--;
  }

  /** Returns the address of a page. */
  pageAt(page: number): number {
    const slab = this.#slabs[Math.floor(page / this.#slabPages)]!;
    return slab.pages + page % this.#slabPages * this.#pageBytes;
  }

  /** Returns the address of a page's block in the first stream. */
  blockAt(page: number): number {
    const slab = this.#slabs[Math.floor(page / this.#slabPages)]!;
    return slab.streams + page % this.#slabPages * this.#blockBytes;
  }

  #find(after: number | undefined): number | undefined {
    const free = this.#free;
    if (after !== undefined && free[after + 1] === 1) return after + 1;
    let start = 0;
    for (let page = 0; page < free.length; page++) {
      if (free[page] === 0) start = page + 1;
      else if (page - start + 1 === PREFERRED_RUN) return start;
    }
    const first = free.indexOf(1);
    return first < 0 ? undefined : first;
  }

  #addSlab(): boolean {
    const left = this.#maxPages - this.#free.length;
    if (left <= 0) return false;
    const { heap, config } = this.#engine;
    this.#slabs.push({
      pages: heap.allocate(this.#slabPages * this.#pageBytes),
      streams: heap.allocate(
        this.streamBytes * config.layers * config.heads * 2,
      ),
    });
    const grown = new Uint8Array(
      this.#free.length + Math.min(left, this.#slabPages),
    );
    grown.fill(1, this.#free.length);
    grown.set(this.#free);
    this.#free = grown;
    return true;
  }
}
