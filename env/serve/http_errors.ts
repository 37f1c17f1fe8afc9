/** What all of our servers answer to what cannot be answered. */

import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { messageOf, PolicyError } from "../errors.ts";
import { RequestError } from "./served_policy.ts";

/** Larger bodies are refused. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Has an app limit bodies, and answer errors as JSON in OpenAI's form. */
export function answerErrors(app: Hono): void {
  app.use(bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c) =>
      c.json(
        errorBody(`The body is larger than ${MAX_BODY_BYTES} bytes`, 413),
        413,
      ),
  }));
  app.onError((error, c) => {
    if (error instanceof RequestError) {
      if (error.status === 503) c.header("retry-after", "1");
      return c.json(errorBody(error.message, error.status), error.status);
    }
    if (error instanceof HTTPException) {
      const challenge = error.res?.headers.get("www-authenticate");
      if (challenge) c.header("www-authenticate", challenge);
      const message = error.message || "The bearer token is missing or wrong";
      return c.json(errorBody(message, error.status), error.status);
    }
    // The prompt is the client's.
    if (error instanceof PolicyError) {
      return c.json(errorBody(error.message, 400), 400);
    }
    return c.json(errorBody(error.message, 500), 500);
  });
  app.notFound((c) =>
    c.json(errorBody(`There is no ${c.req.method} ${c.req.path}`, 404), 404)
  );
}

/** The body. @throws {RequestError} If it is not JSON. */
export async function jsonOf(c: Context): Promise<unknown> {
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RequestError(
      `The body is not JSON: ${messageOf(error)}`,
    );
  }
}

/** As OpenAI's errors are. */
function errorBody(message: string, status: number) {
  const type = status === 500 ? "server_error" : "invalid_request_error";
  return { error: { message, type, param: null, code: status } };
}
