"""Text search over a catalogue whose order a viewer's taste decides."""
