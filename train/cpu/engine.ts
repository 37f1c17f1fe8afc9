/** The engine that sampling and training share: the memory, the workers, the weights and their packed copies. */

import { PolicyError } from "../../env/errors.ts";
import { createRng } from "../../env/random.ts";
import { LAYER, MODEL, PAGE, sizeOf, writeStruct } from "./abi.ts";
import { Crew } from "./crew.ts";
import { initialWeights } from "./init.ts";
import {
  bindKernels,
  type KernelBuild,
  type Kernels,
  loadKernels,
} from "./kernel_module.ts";
import { type Layout, layoutOf, parameter } from "./layout.ts";
import { SharedHeap } from "./memory.ts";
import type { ModelConfig } from "./model_config.ts";

/** Options for {@linkcode Engine.create}. */
export interface EngineOptions {
  readonly config: ModelConfig;
  /** The seed of the initial weights. */
  readonly seed: number;
  /** The number of compute threads. */
  readonly threads: number;
  /** The build of the kernels. Default: the fastest that the machine supports. */
  readonly build?: KernelBuild;
}

/** A set of weights in memory, with its packed copies and the structs that describe it to kernels. */
export interface ModelCopy {
  /** The address of the weights. */
  readonly weights: number;
  readonly panels: number;
  readonly backPanels: number;
  /** The address of the struct for training. */
  readonly training: number;
  /** The address of the struct for sampling. */
  readonly sampling: number;
}

/**
 * Returns the byte offsets of a page's parts, and the size of a page. A page contains the ids, the state that the
 * convolutions need to continue (`tails`, only for sampling), and the pointer keys.
 */
export function pageLayout(config: ModelConfig, training: boolean) {
  const tails = PAGE * 4;
  const pointer = tails + (training ? 0 : config.layers * 2 * config.dim * 4);
  const bytes = pointer + config.pointerDim * PAGE * 4;
  return { tails, pointer, bytes };
}

/** The maximum number of bytes to allocate in addition to the requested working memory of a thread. */
const SCRATCH_SLACK = 4 * 2 ** 20;

/** A model in memory and the threads that run it. */
export class Engine implements AsyncDisposable {
  readonly config: ModelConfig;
  readonly layout: Layout;
  readonly heap: SharedHeap;
  readonly crew: Crew;
  /** The kernels that run on the host's thread, for short computations. */
  readonly kernels: Kernels;
  /** The policy's weights. */
  readonly policy: ModelCopy;
  readonly #tables: RopeTables;
  #version = 0;
  #scratch: { at: number; bytes: number }[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** The number of requests being sampled. While it is not 0, the weights must not change. */
  sampling = 0;

  private constructor(
    config: ModelConfig,
    heap: SharedHeap,
    crew: Crew,
    kernels: Kernels,
  ) {
    this.config = config;
    this.layout = layoutOf(config);
    this.heap = heap;
    this.crew = crew;
    this.kernels = kernels;
    this.#tables = writeRopeTables(heap, config);
    this.policy = this.copyModel(true);
  }

  /**
   * Creates an engine: starts its workers and draws the initial weights.
   * @throws {RangeError} If `threads` is not an integer from 1 to 64.
   */
  static async create(options: EngineOptions): Promise<Engine> {
    const { config, threads } = options;
    if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
      throw new RangeError(
        `threads must be from 1 to 64, but it is ${threads}`,
      );
    }
    const heap = new SharedHeap();
    const module = await loadKernels(options.build);
    const crew = await Crew.start({ heap, module, threads });
    try {
      const kernels = bindKernels(module, heap.memory);
      const engine = new Engine(config, heap, crew, kernels);
      const rng = createRng(options.seed, "weights");
      engine.setWeights(initialWeights(config, engine.layout, rng));
      return engine;
    } catch (error) {
      crew.close();
      throw error;
    }
  }

  /** A number that increases whenever the weights change, used to invalidate caches. */
  get version(): number {
    return this.#version;
  }

  /**
   * Returns a live view of the weights, gradient or moments at an address, `[layout.floats]`. Get a new view after each
   * allocation.
   */
  floatsAt(address: number): Float32Array {
    const start = address / 4;
    return this.heap.floats.subarray(start, start + this.layout.floats);
  }

  /** Replaces the policy's weights, packs them, and increments the version. */
  setWeights(weights: Float32Array): void {
    this.floatsAt(this.policy.weights).set(weights);
    this.kernels.pack(this.policy.training, 0, 1);
    this.#version++;
  }

  /** Packs the policy's weights after a change, on all threads, and increments the version. */
  async repack(): Promise<void> {
    const n = this.crew.size;
    await this.crew.run(
      "pack",
      Array.from({ length: n }, (_, i) => [this.policy.training, i, n]),
    );
    this.#version++;
  }

  /**
   * Allocates a set of weights, all 0, with the structs that describe it. It can be trained only if `backward` is true.
   */
  copyModel(backward: boolean): ModelCopy {
    const bytes = this.layout.floats * 4;
    const weights = this.heap.allocate(bytes);
    const panels = this.heap.allocate(bytes);
    const backPanels = backward ? this.heap.allocate(bytes) : 0;
    const place = { weights, panels, backPanels };
    return {
      ...place,
      training: this.#writeModel(place, true),
      sampling: this.#writeModel(place, false),
    };
  }

  /**
   * Returns a block of working memory for each thread, with at least `bytes[i]` bytes for the i-th thread. A block is
   * valid only until the next call, which may free it. Its initial contents are unspecified.
   */
  scratch(bytes: readonly number[]): { at: number; end: number }[] {
    return bytes.map((need, i) => {
      const held = this.#scratch[i];
      if (held && held.bytes >= need) {
        return { at: held.at, end: held.at + held.bytes };
      }
      if (held) this.heap.free(held.at);
      // Allocate more than requested, because contexts grow token by token.
      const room = need + Math.min(need, SCRATCH_SLACK);
      const at = this.heap.allocate(room);
      this.#scratch[i] = { at, bytes: room };
      return { at, end: at + room };
    });
  }

  /**
   * Runs `work` after all earlier work on this engine, and returns its result.
   * @throws {PolicyError} If the engine is closed before `work` begins.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(() => {
      if (this.#closed) {
        throw new PolicyError("Cannot compute: the policy is closed");
      }
      return work();
    });
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Waits for running work to finish, then terminates the workers. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    this.crew.close();
  }

  #writeModel(
    place: { weights: number; panels: number; backPanels: number },
    training: boolean,
  ): number {
    const { config, layout, heap } = this;
    const at = heap.allocate(sizeOf(MODEL));
    const layerTable = heap.allocate(sizeOf(LAYER) * config.layers);
    const page = pageLayout(config, training);
    const offset = (name: string) => parameter(layout, name).offset * 4;
    writeStruct(heap, at, MODEL, {
      vocab: config.vocab,
      dim: config.dim,
      layers: config.layers,
      heads: config.heads,
      headDim: config.dim / config.heads,
      hidden: config.hidden,
      pointerDim: config.pointerDim,
      ...place,
      ropeCos: this.#tables.cos,
      ropeSin: this.#tables.sin,
      zeros: this.#tables.zeros,
      pageTails: page.tails,
      pagePointer: page.pointer,
      pageBytes: page.bytes,
      embedding: offset("embedding"),
      finalGain: offset("norm"),
      pointerQuery: offset("pointer.query"),
      pointerKey: offset("pointer.key"),
      gateWeight: offset("pointer.gate.weight"),
      gateBias: offset("pointer.gate.bias"),
      layerTable,
    });
    for (let l = 0; l < config.layers; l++) {
      writeStruct(heap, layerTable + l * sizeOf(LAYER), LAYER, {
        attentionGain: offset(`layers.${l}.attention.norm`),
        conv: offset(`layers.${l}.attention.conv`),
        qkv: offset(`layers.${l}.attention.qkv`),
        out: offset(`layers.${l}.attention.out`),
        mlpGain: offset(`layers.${l}.mlp.norm`),
        gateUp: offset(`layers.${l}.mlp.gate_up`),
        down: offset(`layers.${l}.mlp.down`),
      });
    }
    return at;
  }
}

interface RopeTables {
  readonly cos: number;
  readonly sin: number;
  readonly zeros: number;
}

function writeRopeTables(heap: SharedHeap, config: ModelConfig): RopeTables {
  const half = config.dim / config.heads / 2;
  const bytes = config.contextLength * half * 4;
  const cos = heap.allocate(bytes);
  const sin = heap.allocate(bytes);
  const zeros = heap.allocate(config.dim * 4);
  const { floats } = heap;
  for (let i = 0; i < half; i++) {
    const rate = config.ropeBase ** (-i / half);
    for (let t = 0; t < config.contextLength; t++) {
      floats[cos / 4 + t * half + i] = Math.cos(t * rate);
      floats[sin / 4 + t * half + i] = Math.sin(t * rate);
    }
  }
  return { cos, sin, zeros };
}
