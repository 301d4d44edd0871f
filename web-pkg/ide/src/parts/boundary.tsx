import { Component, type ReactNode } from "react";

export interface BoundaryProps {
  readonly children: ReactNode;
  fallback(failure: Error): ReactNode;
}

/** Shows a sentence in place of a page that broke while it was drawn; without it the page would be blank. */
export class Boundary extends Component<BoundaryProps, { readonly failure: Error | null }> {
  override state: { readonly failure: Error | null } = { failure: null };

  static getDerivedStateFromError(failure: unknown): { failure: Error } {
    return { failure: failure instanceof Error ? failure : new Error(String(failure)) };
  }

  override render(): ReactNode {
    return this.state.failure === null ? this.props.children : this.props.fallback(this.state.failure);
  }
}
