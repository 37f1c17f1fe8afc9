/** Reads the text frames of a WebSocket through an async iterator. */

import { RayError } from "../../../env/errors.ts";

/** A queue of a socket's text frames, in order, for a single reader. */
export class FrameQueue {
  readonly #socket: WebSocket;
  readonly #frames: string[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => {};

  /**
   * Starts to queue the frames of a socket.
   * @param doing What the socket is used for, as error messages state it, such as `follow the log of the job "a"`.
   */
  constructor(socket: WebSocket, doing: string) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.#frames.push(data);
      this.#wake();
    });
    socket.addEventListener("error", (event) => {
      const why = (event as ErrorEvent).message || "the connection failed";
      const kind = why.includes("404") ? "not_found" : "unreachable";
      this.#finish({
        error: new RayError(`Cannot ${doing}: ${why}`, { kind }),
      });
    });
    socket.addEventListener("close", () => this.#finish({}));
  }

  /**
   * Yields each frame as it arrives, until the socket closes.
   * @throws {RayError} If the connection cannot be made or breaks.
   */
  async *read(): AsyncGenerator<string> {
    for (;;) {
      while (this.#frames.length > 0) yield this.#frames.shift()!;
      if (this.#end) {
        if ("error" in this.#end) throw this.#end.error;
        return;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /**
   * Discards all unread frames and, unless the socket has closed already, makes {@linkcode FrameQueue.read} throw
   * `reason`.
   */
  cancel(reason: unknown): void {
    this.#frames.length = 0;
    this.#finish({ error: reason });
  }

  close(): void {
    this.#finish({});
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close();
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#end ??= end;
    this.#wake();
  }
}
