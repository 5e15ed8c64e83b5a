"""WebRTC service: mattes the video of thin clients and browsers. One process, one state per connection."""
