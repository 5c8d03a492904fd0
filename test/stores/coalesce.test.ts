import { describe, expect, it } from "vitest";
import { coalesce } from "../../src/stores/coalesce";

/** A backend whose batches are answered by hand. */
function backend() {
  const batches: { items: readonly number[]; answer: () => void; fail: (error: unknown) => void }[] = [];
  const run = (items: readonly number[]) =>
    new Promise<readonly number[]>((resolve, reject) => {
      batches.push({ items, answer: () => resolve(items.map((item) => item * 10)), fail: reject });
    });
  return { batches, run };
}

/** Two turns of the event loop: a batch waits one for whom the last one answered. */
const settle = async () => {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
};

describe("coalesce", () => {
  it("sends the first call straight, and what arrives meanwhile together, in order", async () => {
    const { batches, run } = backend();
    const call = coalesce(run);
    const answers = [call([1]), call([2, 3]), call([4])];
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
    batches[0]?.answer();
    await settle();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
    const late = call([5]);
    batches[1]?.answer();
    await settle();
    batches[2]?.answer();
    expect(await Promise.all([...answers, late])).toEqual([[10], [20, 30], [40], [50]]);
  });

  it("keeps batches within their weight, and the items of one call together", async () => {
    const { batches, run } = backend();
    const call = coalesce(run, { most: 4, weigh: (item) => item });
    const answers = [1, 2, 2, 9, 1].map((item) => call([item]));
    for (let at = 0; at < 4; at++) {
      batches[at]?.answer();
      await settle();
    }
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 2], [9], [1]]);
    expect(await Promise.all(answers)).toEqual([[10], [20], [20], [90], [10]]);
  });

  it("rejects the calls of a failed batch, and goes on with the next", async () => {
    const { batches, run } = backend();
    const call = coalesce(run);
    const first = call([1]);
    const second = call([2]).catch((error: Error) => error.message);
    const third = call([3]).catch((error: Error) => error.message);
    batches[0]?.answer();
    await first;
    await settle();
    batches[1]?.fail(new Error("down"));
    expect(await Promise.all([second, third])).toEqual(["down", "down"]);
    const fourth = call([4]);
    await settle();
    batches[2]?.answer();
    expect(await fourth).toEqual([40]);
  });

  it("also when the backend throws at once", async () => {
    const call = coalesce((items: readonly number[]): Promise<readonly number[]> => {
      if (items.includes(1)) throw new Error("at once");
      return Promise.resolve(items);
    });
    await expect(call([1])).rejects.toThrow("at once");
    expect(await call([2])).toEqual([2]);
  });

  it("asks again call by call where an error may be one call's own fault", async () => {
    const asked: (readonly number[])[] = [];
    const call = coalesce(
      async (items: readonly number[]) => {
        asked.push(items);
        await settle();
        if (items.includes(3)) throw new TypeError("three");
        return items;
      },
      { isolate: (error) => error instanceof TypeError },
    );
    const results = await Promise.allSettled([1, 2, 3, 4].map((item) => call([item])));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(asked).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
  });

  it("refuses an answer that does not fit the question", async () => {
    const call = coalesce(async () => [1]);
    await expect(call([1, 2])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  it("gathers the calls of one turn where the backend answers within the call", async () => {
    const asked: (readonly number[])[] = [];
    const call = coalesce(
      async (items: readonly number[]) => {
        asked.push(items);
        return items;
      },
      { gather: true },
    );
    const workers = [0, 1, 2].map(async (worker) => {
      for (let round = 0; round < 3; round++) expect(await call([worker])).toEqual([worker]);
    });
    await Promise.all(workers);
    expect(asked).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  it("keeps nobody waiting for a turn who asks alone, one call after the other", async () => {
    const call = coalesce(async (items: readonly number[]) => items);
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    for (let number = 0; number < 3; number++) expect(await call([number])).toEqual([number]);
    expect(turned).toBe(false);
  });

  it("lets a crowd that works in step go together, not as one and all the rest", async () => {
    const sizes: number[] = [];
    const call = coalesce(async (items: readonly number[]) => {
      sizes.push(items.length);
      await settle();
      return items;
    });
    // Whoever asks stands some promises away, as a store and a fuse do.
    const one = async (item: number) => (await call([item]))[0];
    const another = async (item: number) => (await one(item)) === item;
    const worker = async () => {
      for (let round = 0; round < 4; round++) expect(await another(round)).toBe(true);
    };
    await Promise.all(Array.from({ length: 10 }, worker));
    expect(sizes).toEqual([1, 9, 10, 10, 10]);
  });

  it("asks nothing for nothing", async () => {
    const { batches, run } = backend();
    expect(await coalesce(run)([])).toEqual([]);
    expect(batches).toEqual([]);
  });
});
