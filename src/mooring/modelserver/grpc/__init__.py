"""The Open Inference Protocol over gRPC, and gRPC's own health service. Imported only when a port is asked for."""
