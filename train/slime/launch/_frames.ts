/** Reads the text frames of a WebSocket as an async iterator. */

import { RayError } from "../../../env/errors.ts";

/** A queue of the frames of a socket, in order, for one reader. */
export class FrameQueue {
  readonly #socket: WebSocket;
  readonly #frames: string[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => {};

  /** @param doing The purpose of the socket, for errors: `follow the log of job "a"`. */
  constructor(socket: WebSocket, doing: string) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.#frames.push(data);
      this.#wake();
    });
    socket.addEventListener("error", (event) => {
      const why = (event as ErrorEvent).message || "the connection broke";
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

  /** Ends reading with this reason and discards unread frames. */
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
