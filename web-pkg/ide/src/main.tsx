import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { keepShellForOffline } from "./shell/service-worker.ts";
import { followSystemTheme } from "./shell/theme.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/home.css";
import "./styles/room.css";
import "./styles/side.css";
import "./styles/editor.css";

const place = document.getElementById("app");
if (place === null) throw new Error("index.html has no #app");
followSystemTheme();
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
keepShellForOffline();
