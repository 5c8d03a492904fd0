/**
 * Finds cycles in a graph of imports.
 *
 * @module
 */

/**
 * One cycle per file that lies on one, each starting at its first file.
 *
 * @param {ReadonlyMap<string, readonly string[]>} edges
 * @returns {string[][]}
 */
export function cycles(edges) {
  /** @type {string[][]} */
  const found = [];
  const done = new Set();
  /** @type {string[]} */
  const trail = [];
  const visit = (/** @type {string} */ at) => {
    const seen = trail.indexOf(at);
    if (seen >= 0) found.push([...trail.slice(seen), at]);
    if (seen >= 0 || done.has(at)) return;
    trail.push(at);
    for (const next of edges.get(at) ?? []) visit(next);
    trail.pop();
    done.add(at);
  };
  for (const from of [...edges.keys()].sort()) visit(from);
  return found;
}
