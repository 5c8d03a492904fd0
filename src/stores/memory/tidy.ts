/**
 * Clears what is over out of a map, a little with every use.
 *
 * @module
 */

/** How many keys are looked at with each use: more than one use can add, so that what is over never outgrows the rest. */
const each = 2;

/**
 * Walks round and round a map, a few keys with every call, and deletes those whose value is over. A pass over the
 * whole map now and then would stop the process for as long, and let twice as much pile up.
 */
export function tidier<Value>(map: Map<string, Value>, isOver: (value: Value, at: number) => boolean) {
  let walk = map.entries();
  return (at: number): void => {
    for (let looked = 0; looked < each; looked++) {
      const step = walk.next();
      if (step.done) {
        walk = map.entries();
        return;
      }
      const [key, value] = step.value;
      if (isOver(value, at)) map.delete(key);
    }
  };
}
