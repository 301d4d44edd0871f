import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { keepShellForOffline } from "./shell/service-worker.ts";
import { followSystemTheme } from "./shell/theme.ts";
import { followKeyboard } from "./shell/viewport.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/home.css";
import "./styles/frame.css";
import "./styles/files.css";
import "./styles/people.css";
import "./styles/chat.css";
import "./styles/editor.css";
import "./styles/find.css";
import "./styles/overlays.css";
import "./styles/transfer.css";
import "./styles/forks.css";
import "./styles/phone.css";

const place = document.getElementById("app");
if (place === null) throw new Error("index.html has no #app");
followSystemTheme();
followKeyboard();
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
keepShellForOffline();
