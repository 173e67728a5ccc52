"""What lets a training be watched: its speed, its pictures, its report."""
