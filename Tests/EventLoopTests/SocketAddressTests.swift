import EventLoop
import Testing
