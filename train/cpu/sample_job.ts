/**
 * Runs sampling jobs. A job consists of a few steps on all threads: the requests are written to shared memory, the
 * kernels run, and the results are read back.
 */

import type { GenerateRequest } from "../../env/types.ts";
import { REQUEST, SAMPLE_JOB, sizeOf, writeStruct } from "./abi.ts";
import type { Engine } from "./engine.ts";
import type { Session } from "./session_cache.ts";

/** A request's part in a job. */
export interface SamplePart {
  readonly request: GenerateRequest;
  /** The session, with a position reserved for every token to feed. */
  readonly session: Session;
  /** The ids to feed. */
  readonly pending: readonly number[];
  /**
   * Uniform random numbers in [0, 1), one per token to sample; empty if the job does not reach the end of the prompt.
   */
  readonly uniforms: readonly number[];
}

/** The result of a part. */
export interface SampleOutcome {
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
  /** Whether the last id is a stop id. */
  readonly stopped: boolean;
}

interface Written {
  /** The address of the request's struct. */
  readonly at: number;
  readonly ids: number;
  readonly logprobs: number;
}

const PRODUCED = Object.keys(REQUEST).indexOf("produced");
const STOPPED = Object.keys(REQUEST).indexOf("stopped");

/** Runs sampling jobs, one at a time, and reuses their memory. */
export class SampleJobs {
  readonly #engine: Engine;
  readonly #mail: { at: number; bytes: number }[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Feeds each part's pending ids, then samples one token per uniform number, but none after a stop id.
   * @param plan The parts of each thread, `[threads][…]`.
   * @param options.streamBytes The number of bytes from one stream of the sessions' cache to the next.
   * @returns The outcomes, in the order of the plan.
   */
  async run(
    plan: readonly (readonly SamplePart[])[],
    { streamBytes }: { streamBytes: number },
  ): Promise<SampleOutcome[][]> {
    const { heap, crew, policy } = this.#engine;
    const jobs = plan.map((parts, thread) => this.#write(parts, thread));
    const scratch = this.#engine.scratch(jobs.map((job) => job.scratchBytes));
    jobs.forEach((job, i) => {
      writeStruct(heap, job.at, SAMPLE_JOB, {
        model: policy.sampling,
        stream: streamBytes,
        scratch: scratch[i]!.at,
        scratchEnd: scratch[i]!.end,
        requests: job.written.length,
        requestTable: job.requestTable,
        maxRows: job.rows,
        maxContext: job.context,
      });
    });
    await crew.run("sample", jobs.map((job) => [job.at]));
    return jobs.map((job) => job.written.map((w) => this.#read(w)));
  }

  #write(parts: readonly SamplePart[], thread: number) {
    const { kernels, policy } = this.#engine;
    const requests = Math.max(1, parts.length);
    const fed = parts.reduce((sum, p) => sum + p.pending.length, 0);
    const rows = Math.max(requests, fed);
    const context = Math.max(32, ...parts.map(contextOf));
    const at = this.#openMail(thread, mailBytes(parts));
    const requestTable = at + align(sizeOf(SAMPLE_JOB));
    let cursor = requestTable + align(sizeOf(REQUEST) * parts.length);
    const take = (bytes: number) => {
      const place = cursor;
      cursor += align(bytes);
      return place;
    };
    const written = parts.map((part, i) =>
      this.#writeRequest(part, requestTable + i * sizeOf(REQUEST), take)
    );
    const scratchBytes =
      kernels.samplingBytes(policy.sampling, requests, rows, context) >>> 0;
    return { at, requestTable, written, rows, context, scratchBytes };
  }

  #writeRequest(
    { request, session, pending: ids, uniforms: numbers }: SamplePart,
    at: number,
    take: (bytes: number) => number,
  ): Written {
    const { heap } = this.#engine;
    const uniforms = take(8 * numbers.length);
    const pending = take(4 * ids.length);
    const stops = take(4 * request.stopIds.length);
    const written = {
      at,
      ids: take(4 * numbers.length),
      logprobs: take(4 * numbers.length),
    };
    heap.doubles.set(numbers, uniforms / 8);
    heap.ints.set(ids, pending / 4);
    heap.ints.set(request.stopIds, stops / 4);
    writeStruct(heap, at, REQUEST, {
      table: session.table,
      state: session.state,
      position: session.ids.length,
      pending,
      pendingCount: ids.length,
      budget: numbers.length,
      temperature: request.temperature,
      stops,
      stopCount: request.stopIds.length,
      uniforms,
      ids: written.ids,
      logprobs: written.logprobs,
      produced: 0,
      stopped: 0,
    });
    return written;
  }

  #read({ at, ids, logprobs }: Written): SampleOutcome {
    const { ints, floats } = this.#engine.heap;
    const n = ints[at / 4 + PRODUCED]!;
    return {
      ids: Array.from(ints.subarray(ids / 4, ids / 4 + n)),
      logprobs: Array.from(floats.subarray(logprobs / 4, logprobs / 4 + n)),
      stopped: ints[at / 4 + STOPPED] === 1,
    };
  }

  #openMail(thread: number, bytes: number): number {
    const held = this.#mail[thread];
    if (held && held.bytes >= bytes) return held.at;
    if (held) this.#engine.heap.free(held.at);
    const at = this.#engine.heap.allocate(bytes * 2);
    this.#mail[thread] = { at, bytes: bytes * 2 };
    return at;
  }
}

function contextOf({ session, pending, uniforms }: SamplePart): number {
  return session.ids.length + pending.length + uniforms.length;
}

function mailBytes(parts: readonly SamplePart[]): number {
  let bytes = align(sizeOf(SAMPLE_JOB)) + align(sizeOf(REQUEST) * parts.length);
  for (const { request, pending, uniforms } of parts) {
    bytes += 8 * uniforms.length + align(4 * pending.length) +
      align(4 * request.stopIds.length) + 2 * align(4 * uniforms.length);
  }
  return bytes;
}

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
