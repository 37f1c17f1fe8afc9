/**
 * The environment variable that contains the key of slime's router, if the router requires one. Episode servers and the
 * doctor read the key. The key does not appear in any file, command line or log.
 * @see slime pull request 2068: a bearer token for the router's `--api-key`.
 */
export const ROUTER_KEY = "TAULAB_ROUTER_KEY";
