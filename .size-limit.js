/**
 * All that an application may come to load, with zod, jose and tr46, compressed. A limit that is hit asks what came along.
 * What is loaded at once is less: the bench's row `import` has both.
 */
const forNode = (config) => ({ ...config, platform: "node", format: "esm" });

export default [
  {
    name: "createFuse",
    path: "dist/index.js",
    import: "{ createFuse }",
    limit: "150 kB",
    modifyEsbuildConfig: forNode,
  },
];
