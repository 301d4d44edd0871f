import { defineConfig } from "vitest/config";

// Stories in the browser have a runner of their own.
export default defineConfig({ test: { include: ["test/{unit,package}/**/*.test.{ts,tsx}", "ide/test/**/*.test.ts"] } });
