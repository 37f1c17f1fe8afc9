/** Creates the error responses of all taulab servers. */

import type { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { PolicyError } from "../errors.ts";
import { RequestError } from "./served_policy.ts";

/** Configures an app to return errors as JSON in OpenAI's format. */
export function answerErrors(app: Hono): void {
  app.onError((error, c) => {
    if (error instanceof RequestError) {
      if (error.status === 503) c.header("retry-after", "1");
      // Do not wait for the rest of the body.
      if (error.status === 408 || error.status === 413) {
        c.header("connection", "close");
      }
      return c.json(errorBody(error.message, error.status), error.status);
    }
    if (error instanceof HTTPException) {
      const challenge = error.res?.headers.get("www-authenticate");
      if (challenge) c.header("www-authenticate", challenge);
      const message = error.message || "The token is missing or wrong";
      return c.json(errorBody(message, error.status), error.status);
    }
    // The prompt comes from the client, so this is the client's error.
    if (error instanceof PolicyError) {
      return c.json(errorBody(error.message, 400), 400);
    }
    return c.json(errorBody(error.message, 500), 500);
  });
  app.notFound((c) =>
    c.json(
      errorBody(`There is no endpoint ${c.req.method} ${c.req.path}`, 404),
      404,
    )
  );
}

/** Returns an error response's body in OpenAI's format. */
function errorBody(message: string, status: number) {
  const type = status === 500 ? "server_error" : "invalid_request_error";
  return { error: { message, type, param: null, code: status } };
}
