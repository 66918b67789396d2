import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Files that are small when packed are packed once, here, and not by the service for every visitor. */
function packed(): Plugin {
  let folder = "";
  return {
    name: "packed",
    apply: "build",
    configResolved: ({ build, root }) => {
      folder = resolve(root, build.outDir);
    },
    buildStart: () => rmSync(join(folder, "assets"), { recursive: true, force: true }),
    closeBundle: () => {
      const assets = readdirSync(join(folder, "assets")).map((name) => join(folder, "assets", name));
      for (const file of [join(folder, "index.html"), ...assets]) {
        const bytes = readFileSync(file);
        const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
        const gzip = gzipSync(bytes, { level: 9 });
        gzip[9] = 255; // which system packed it is nobody's business
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, brotli));
        writeFileSync(`${file}.gz`, gzip);
      }
    },
  };
}

// The service serves index.html at its root and everything else under ./page/, wherever that root is: so every address is
// relative, those in the HTML to the page, those in scripts and styles to the file that names them.
export default defineConfig({
  base: "./",
  plugins: [packed()],
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: false, // basemap.tiles lies there too
    assetsInlineLimit: 0, // inlined pieces would need more than 'self' in the Content-Security-Policy
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    reportCompressedSize: false,
  },
  experimental: {
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `./page/${file}` : { relative: true }),
  },
});
